/** Milliseconds that this process computed meanwhile, in all its threads: however busy the machine is with others. */
export async function cpuOf(run: () => unknown): Promise<number> {
  const begun = process.cpuUsage()
  await run()
  return process.cpuUsage(begun).user / 1000
}
