"""The linked viewer: attention that one can point at and hear, drawn by the browser itself.

Python makes arrays (`payloads`), packs them (`packing`) and serves them (`serving`); `static/` holds what draws them.
"""
