// What the gateway is asked.

const PATIENCE_MS = 15000;

/** The JSON of a page, or an error with a sentence. */
export async function ask(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store" });
  if (!response.ok) throw new Error(`${response.status}: ${(await response.text()).trim()}`);
  return response.json();
}

/** Calls `job` again and again, `pause()` milliseconds after it has ended, while the page is to be seen. When it fails,
 * it is tried again after a longer and longer while. Answers a function that has it called at once. */
export function repeat(job, pause, onResult) {
  const LONGEST_MS = 30000;
  let timer = 0;
  let failures = 0;
  let running = false;
  let again = false;

  async function run() {
    clearTimeout(timer);
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      await job();
      failures = 0;
      onResult(null, 0);
    } catch (error) {
      failures++;
      onResult(error, delay());
    }
    running = false;
    if (again) {
      again = false;
      run();
    } else if (!document.hidden) {
      timer = setTimeout(run, delay());
    }
  }

  function delay() {
    return failures === 0 ? pause() : Math.min(1000 * 2 ** failures, LONGEST_MS);
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : run()));
  run();
  return run;
}
