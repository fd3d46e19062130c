// Fetches what the atlas shows of every layer, a few at once, and pauses while nobody looks.

const AT_ONCE = 2;  // requests on their way: one is computed while the other travels

// isWatched() says whether to go on; take(job, arrays) gets each as it comes, fail(error) the first failure.
export function createCollector(source, isWatched, take, fail) {
  let jobs = [], working = 0;

  async function work(mine) {
    working++;
    while (mine === jobs && mine.length && isWatched()) {
      const job = mine.shift();
      try {
        const arrays = await source.get(...job.need);
        if (mine === jobs) take(job, arrays);
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
    // Forget what was wanted, and want these, in their order: {need}, what to ask the source for.
    collect(wanted) {
      jobs = wanted;
      resume();
    },
  };
}
