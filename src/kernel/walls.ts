/** What is around a program that runs, by the names that native/sandbox.c reports. */
export const walls = ["landlock", "seccomp", "no_new_privileges", "limits", "processes", "network"] as const
export type Wall = (typeof walls)[number]
