"""Configs that do not describe the tensors beside them."""

from .registry import corruption


@corruption("config-contradicts-shapes")
def the_config_is_of_base(cfg, state):
    cfg.update(encoder_layers=12, encoder_embed_dim=768, encoder_ffn_embed_dim=3072, encoder_attention_heads=12)


@corruption("config-contradicts-shapes")
def the_config_has_other_heads(cfg, state):
    cfg["encoder_attention_heads"] = 12


@corruption("config-contradicts-shapes")
def the_config_has_other_buckets(cfg, state):
    cfg["num_buckets"] = 320


@corruption("config-contradicts-shapes")
def the_config_has_fewer_layers(cfg, state):
    cfg["encoder_layers"] = 4


@corruption("config-contradicts-shapes")
def the_config_has_more_layers(cfg, state):
    cfg["encoder_layers"] = 8


@corruption("config-contradicts-shapes")
def the_config_has_another_front_end(cfg, state):
    cfg["extractor_mode"] = "layer_norm"


@corruption("config-contradicts-shapes")
def the_config_has_another_positional_convolution(cfg, state):
    cfg["conv_pos"] = 128


@corruption("config-contradicts-shapes")
def the_config_has_other_groups(cfg, state):
    cfg["conv_pos_groups"] = 8


@corruption("config-contradicts-shapes")
def the_config_has_no_glu(cfg, state):
    cfg["activation_fn"] = "gelu"


@corruption("config-contradicts-shapes")
def the_config_has_biases_in_convolutions(cfg, state):
    cfg["conv_bias"] = True


@corruption("config-contradicts-shapes")
def the_config_has_other_convolutions(cfg, state):
    cfg["conv_feature_layers"] = "[(512,10,5)] + [(512,3,2)] * 4 + [(512,2,2)] * 2"


@corruption("switched-off")
def the_config_has_no_gate(cfg, state):
    cfg["gru_rel_pos"] = False


@corruption("switched-off")
def the_config_has_no_positions(cfg, state):
    cfg["relative_position_embedding"] = False


@corruption("switched-off")
def the_config_is_the_default(cfg, state):
    for name in list(cfg):
        if name not in ("encoder_layers", "encoder_embed_dim"):
            del cfg[name]
    cfg.update(gru_rel_pos=False, relative_position_embedding=False, max_distance=1280)


@corruption("norm-order")
def the_config_has_the_other_norm_order(cfg, state):
    cfg["layer_norm_first"] = True


@corruption("maximum-distance")
def the_config_has_a_short_distance(cfg, state):
    cfg["max_distance"] = 10


@corruption("frame-rate")
def the_config_has_other_strides(cfg, state):
    cfg["conv_feature_layers"] = cfg["conv_feature_layers"].replace("10,5", "10,4")


@corruption("odd-settings")
def the_config_drops_all_layers(cfg, state):
    cfg["encoder_layerdrop"] = 1.5


@corruption("readable")
def the_config_has_a_text_for_a_number(cfg, state):
    cfg["encoder_layers"] = "six"


@corruption("readable")
def the_config_runs_code(cfg, state):
    cfg["conv_feature_layers"] = "__import__('os').system('true')"


@corruption("switched-off")
def the_config_is_silent_on_the_gate(cfg, state):
    del cfg["gru_rel_pos"]
