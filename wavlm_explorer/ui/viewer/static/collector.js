// Fetches the atlas of every layer, a few at once, and pauses while nobody looks.

const AT_ONCE = 2;  // requests on their way: one is computed while the other travels

// isWatched() says whether to go on; take(layer, arrays) gets each as it comes, fail(error) the first failure.
export function createCollector(source, isWatched, take, fail) {
  let jobs = [], working = 0;

  async function work(mine) {
    working++;
    while (mine === jobs && mine.length && isWatched()) {
      const layer = mine.shift();
      try {
        const arrays = await source.get("atlas", { layer });
        if (mine === jobs) take(layer, arrays);
      } catch (error) {
        mine.length = 0;
        if (mine === jobs) fail(error);
      }
    }
    working--;
    resume();
  }

  function resume() {
    while (isWatched() && jobs.length && working < AT_ONCE) work(jobs);
  }

  return {
    resume,
    // Forget what was wanted, and want these layers, in their order.
    collect(layers) {
      jobs = layers;
      resume();
    },
  };
}
