import { statfsSync } from "node:fs"

/** proc, sysfs, debugfs, tracefs, securityfs, bpf, cgroup, cgroup2, configfs: from linux/magic.h. */
const kernel_file_systems = new Set([
  0x9fa0, 0x62656572, 0x64626720, 0x74726163, 0x73636673, 0xcafe4a11, 0x27e0eb, 0x63677270, 0x62656570,
])

/** Whether what is there is the kernel's own, on Linux: things that are no files, such as the memory of processes. */
export const isKernels = (path: string): boolean => kernel_file_systems.has(statfsSync(path).type)
