import { expect, test } from "bun:test"
import { needs } from "../../needs.ts"
import { compile } from "../toolchains.ts"
import { folderOf } from "./puppet.ts"
import { startRunner } from "./runner.ts"

const c = needs({ wasi: "c" })

const source = `
  #include <dirent.h>
  #include <errno.h>
  #include <stdio.h>
  #include <stdlib.h>
  #include <string.h>
  #include <sys/random.h>
  #include <sys/stat.h>
  #include <time.h>

  static char out[4096];
  static int length;
  #define say(...) (length += snprintf(out + length, sizeof out - length, __VA_ARGS__))

  __attribute__((export_name("weft_alloc"))) void *weft_alloc(int bytes) { return malloc(bytes ? bytes : 1); }

  __attribute__((export_name("run"))) unsigned long long run(char *input, int bytes) {
    say("input=%.*s env=%s none=%d\\n", bytes, input, getenv("KEY"), getenv("HOME") == NULL);
    char line[64] = "";
    FILE *file = fopen("/data/in.txt", "r");
    if (file) { fgets(line, sizeof line, file); fclose(file); }
    struct stat found;
    say("read=%s size=%d\\n", line, stat("/data/in.txt", &found) ? -1 : (int)found.st_size);
    file = fopen("/data/out.txt", "w");
    if (file) { fprintf(file, "hello %d", 42); fseek(file, 0, SEEK_SET); fputc('H', file); fclose(file); }
    file = fopen("/data/log.txt", "a");
    if (file) fputs("more", file);
    DIR *folder = opendir("/data");
    for (struct dirent *entry; folder && (entry = readdir(folder)); ) say("[%s]", entry->d_name);
    say("\\npasswd=%d", fopen("/etc/passwd", "r") ? 0 : errno == ENOTCAPABLE);
    say(" above=%d", fopen("/data/../etc/passwd", "r") ? 0 : errno == ENOTCAPABLE);
    char random[16];
    struct timespec nap = {0, 1000000};
    say(" random=%d time=%d nap=%d", getentropy(random, 16), time(NULL) > 1700000000, nanosleep(&nap, NULL));
    puts("a line");
    fputs("an error", stderr);
    fflush(NULL);
    return (unsigned long long)(size_t)out << 32 | length;
  }`

c("a plugin in C has its libc: memory, environment, files of its grant, time, streams", async () => {
  await using runner = await startRunner(
    compile("c", source, ["-mexec-model=reactor", "-Oz", "-Wl,--strip-all"]),
  )
  for (let call = 0; call < 2; call++) {
    const { files, host } = folderOf({ "in.txt": "what is in it", "log.txt": "some " })
    const folders = [{ path: "/data", writable: true, files: [] }]
    const answered = await runner.call("run", "x", { env: { KEY: "value" }, folders, host })
    expect(answered).toMatchObject({
      output: [
        "input=x env=value none=1",
        "read=what is in it size=13",
        "[in.txt][log.txt][out.txt]",
        "passwd=1 above=1 random=0 time=1 nap=0",
      ].join("\n"),
      stdout: "a line\n",
      stderr: "an error",
    })
    expect(files).toEqual({ "in.txt": "what is in it", "out.txt": "Hello 42", "log.txt": "some more" })
  }
})

test("a plugin in AssemblyScript says why it aborted, and a trap of its own is one", async () => {
  const bytes = compile(
    "assemblyscript",
    `
      export function weft_alloc(bytes: i32): i32 { return heap.alloc(bytes) as i32 }
      export function run(at: i32, bytes: i32): i64 {
        if (load<u8>(at) == 97) throw new Error("a reason – in UTF-16")
        const list = [1]
        return list[load<u8>(at)]
      }`,
    ["--runtime", "stub"],
  )
  await using runner = await startRunner(bytes)
  expect(await runner.call("run", "a")).toEqual({
    failed: "trap",
    message: "it aborted: a reason – in UTF-16 (in.ts:4:33)",
  })
  expect(await runner.call("run", "b")).toMatchObject({
    failed: "trap",
    message: expect.stringContaining("Index out of range"),
  })
})
