/** Programs as plugins: what they are told by a manifest alone or by describe, and the folders that they are given. */
import { expect } from "bun:test"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { needs } from "../../needs.ts"
import { callOf, type House, openHouse } from "../house.ts"
import { compile } from "../toolchains.ts"

/** Does what its first word says: with its input, a folder, the environment, or not at all. */
const source = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void pass(FILE *from, FILE *to) { int c; while ((c = getc(from)) != EOF) putc(c, to); }
int main(int argc, char **argv) {
  const char *verb = argc > 1 ? argv[1] : "";
  if (!strcmp(verb, "describe")) printf("{\\"name\\":\\"speak\\",\\"description\\":\\"Speaks.\\",\\"input_schema\\":{\\"type\\":\\"object\\"}}");
  else if (!strcmp(verb, "call")) { printf("{\\"content\\":\\"called\\",\\"is_error\\":false}"); }
  else if (!strcmp(verb, "say")) { printf("%s: ", argv[2]); pass(stdin, stdout); }
  else if (!strcmp(verb, "env")) printf("%s", getenv("GIVEN") ? getenv("GIVEN") : "nothing");
  else if (!strcmp(verb, "fail")) { fprintf(stderr, "it is wrong"); return 3; }
  else if (!strcmp(verb, "copy")) {
    FILE *from = fopen(argv[2], "r"), *to = fopen(argv[3], "w");
    if (!from || !to) { fprintf(stderr, "cannot open"); return 1; }
    pass(from, to); fclose(to); printf("copied");
  }
  return 0;
}`

const tool = (name: string, args: string[], more = "") =>
  `[[tools]]\nname = "${name}"\ndescription = "d"\nargs = ${JSON.stringify(args)}\n${more}`
const fields = (...names: string[]) =>
  `input_schema = { type = "object", properties = { ${names.map((name) => `${name} = { type = "string" }`).join(", ")} } }\n`

const manifest = `name = "run"\nkind = "tool"\nengine = "wasmer"\ncapabilities = []
${tool("say", ["say", "{who}"], `stdin = "text"\n${fields("who", "text")}`)}
${tool("env", ["env"])}
${tool("fail", ["fail"])}
${tool("copy", ["copy", "{from}", "{to}"], fields("from", "to"))}`

async function start(house: House, capabilities: string[], text: string | undefined = manifest) {
  house.write("run", compile("c", source, ["-O1"]), text)
  mkdirSync(join(house.folder, "data/deep"), { recursive: true })
  writeFileSync(join(house.folder, "data/deep/in.txt"), "from the disk")
  return house.start([house.config("run", { capabilities })], { env: { GIVEN: "a value", KEPT: "k" } })
}

const inC = needs({ wasi: "c" })

inC(
  "a program that knows nothing of Weft is tools by its manifest alone",
  async () => {
    await using house = await openHouse()
    await using started = await start(house, ["env:GIVEN", "env:UNSET"])
    expect(started.info("run")).toMatchObject({
      state: "ready",
      engine: "wasmer",
      tools: ["run_say", "run_env", "run_fail", "run_copy"],
    })
    expect(await started.call("run_say", { who: "a; b", text: "hello" })).toBe("a; b: hello")
    expect(await started.call("run_env")).toBe("a value")
    const warned = started.lines.filter(({ variable }) => variable === "UNSET")
    expect(warned.length).toBe(1)
    const fail = started.plugins.tools().find(({ name }) => name === "run_fail")!
    expect(await fail.call({}, callOf())).toEqual({
      content: "It ended with the status 3.\nit is wrong",
      is_error: true,
    })
  },
  60_000,
)

inC(
  "a granted folder is there by the name of its grant, and what is written to it comes back",
  async () => {
    await using house = await openHouse()
    await using started = await start(house, ["fs:data:rw"])
    const copy = (from: string, to: string) => started.call("run_copy", { from, to })
    expect(await copy("data/deep/in.txt", "data/out.txt")).toBe("copied")
    expect(readFileSync(join(house.folder, "data/out.txt"), "utf8")).toBe("from the disk")
    expect(await copy("weft.db", "data/stolen")).toContain("cannot open")
    expect(await copy("/etc/passwd", "data/stolen")).toContain("cannot open")
  },
  60_000,
)

inC(
  "a folder that may only be read stays as it is",
  async () => {
    await using house = await openHouse()
    await using started = await start(house, ["fs:data:ro"])
    expect(await started.call("run_copy", { from: "data/deep/in.txt", to: "data/out.txt" })).toContain(
      "cannot open",
    )
    expect(() => readFileSync(join(house.folder, "data/out.txt"))).toThrow("ENOENT")
  },
  60_000,
)

inC(
  "a folder with more than a program gets is a failure that says so",
  async () => {
    await using house = await openHouse()
    await using started = await start(house, ["fs:data:ro"])
    for (let index = 0; index < 1001; index++) writeFileSync(join(house.folder, "data", `${index}`), "")
    await expect(started.call("run_env")).rejects.toThrow("at most 1000 files")
  },
  60_000,
)

inC(
  "a program that speaks for itself is asked by its arguments",
  async () => {
    await using house = await openHouse()
    await using started = await start(house, [], 'name = "run"\nkind = "tool"\nengine = "wasmer"\n')
    expect(started.info("run")).toMatchObject({ state: "ready", tools: ["run_speak"] })
    expect(await started.call("run_speak", { any: 1 })).toBe("called")
  },
  60_000,
)

for (const [what, body, reason] of [
  ["prints what is no description", 'puts("hello");', "is not JSON"],
  ["ends with a status", "return 3;", "ended with the status 3"],
]) {
  inC(
    `a program without [[tools]] that ${what} is refused with a word of them`,
    async () => {
      await using house = await openHouse()
      const code = compile("c", `#include <stdio.h>\nint main(void) { ${body} }`, ["-O1"])
      house.write("run", code, 'name = "run"\nkind = "tool"\nengine = "wasmer"\n')
      await using started = await house.start([house.config("run")])
      const { state, reason: told } = started.info("run")
      expect(state).toBe("refused")
      expect(told).toContain(reason!)
      expect(told).toContain("[[tools]] in its manifest")
    },
    60_000,
  )
}
