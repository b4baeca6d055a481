import { Type } from "@sinclair/typebox"
import { defineTool } from "./tool.ts"

export const currentTime = defineTool({
  name: "current_time",
  description: "The current date and time.",
  effect: "none",
  params: Type.Object(
    {
      time_zone: Type.String({
        default: "UTC",
        description: 'IANA name, such as "Europe/Berlin".',
      }),
    },
    { additionalProperties: false },
  ),
  run({ time_zone }, { now_ms }) {
    const now = new Date(now_ms())
    return `${now.toISOString()}, which is ${formatterOf(time_zone).format(now)}.`
  },
})

function formatterOf(time_zone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long", timeZone: time_zone })
  } catch (cause) {
    throw new Error(`There is no time zone "${time_zone}"; use an IANA name such as "Europe/Berlin".`, {
      cause,
    })
  }
}
