// Fetches something for every layer, a few at once, and pauses while nobody looks.

const AT_ONCE = 2;  // requests on their way: one is computed while the other travels

// isWatched() says whether to go on; take(what, layer, arrays) gets each as it comes, fail(error) the first failure.
export function createCollector(source, isWatched, take, fail) {
  let jobs = [], working = 0;

  async function work(mine) {
    working++;
    while (mine === jobs && mine.length && isWatched()) {
      const { what, layer } = mine.shift();
      try {
        const arrays = await source.get(what, { layer });
        if (mine === jobs) take(what, layer, arrays);
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
    // Forget what was wanted, and want these: [{what, layer}], in their order.
    collect(wanted) {
      jobs = wanted;
      resume();
    },
  };
}
