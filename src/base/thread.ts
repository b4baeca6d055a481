/**
 * Where a thread's file is, by its path below src. In the executable all chunks lie at the top, and threads below it as
 * in src.
 */
export const threadUrl = (path: `${string}.ts`): URL =>
  import.meta.path.endsWith(".ts")
    ? new URL(`../${path}`, import.meta.url)
    : new URL(`./${path.replace(/\.ts$/, ".js")}`, import.meta.url)
