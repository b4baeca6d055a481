import type TurndownService from "turndown"

/** Markdown of an element, its links absolute. Takes as long as the element is big: for a thread of its own. */
export async function toMarkdown(element: HTMLElement, base: string): Promise<string> {
  const Turndown = await loadTurndown()
  const writer = new Turndown({
    headingStyle: "atx",
    codeBlockStyle: "fenced",
    bulletListMarker: "-",
    emDelimiter: "*",
  })
  writer.remove(["script", "style", "noscript", "iframe", "object", "form", "nav"])
  writer.addRule("link", {
    filter: (node) => node.nodeName === "A",
    replacement(content, node) {
      const to = absolute((node as HTMLElement).getAttribute("href"), base)
      const text = content.replace(/\s+/g, " ").trim()
      return to && text ? `[${text}](${to})` : content
    },
  })
  writer.addRule("image", {
    filter: "img",
    replacement(_content, node) {
      const image = node as HTMLElement
      const from = absolute(image.getAttribute("src"), base)
      const alt = (image.getAttribute("alt") ?? "").replace(/[\s[\]]+/g, " ").trim()
      return from && alt ? `![${alt}](${from})` : alt
    },
  })
  writer.addRule("code block", {
    filter: "pre",
    replacement(_content, node) {
      const text = (node.textContent ?? "").replace(/^\n|\n$/g, "")
      const classes = `${(node as HTMLElement).className} ${(node as HTMLElement).firstElementChild?.className ?? ""}`
      const language = /(?:^|\s)(?:language|lang)-([\w+#-]{1,30})/.exec(classes)?.[1] ?? ""
      const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([ticks]) => ticks.length))
      const fence = "`".repeat(longest + 1)
      return `\n\n${fence}${language}\n${text}\n${fence}\n\n`
    },
  })
  addTables(writer)
  return writer.turndown(element)
}

/** Where it sees no parser of HTML it loads one of its own, which takes 35 ms; it is given elements and needs none. */
async function loadTurndown(): Promise<typeof TurndownService> {
  const shared = globalThis as { window?: unknown }
  shared.window = {
    DOMParser: class {
      parseFromString = () => ({})
    },
  }
  try {
    return (await import("turndown")).default
  } finally {
    delete shared.window
  }
}

function addTables(writer: TurndownService): void {
  writer.addRule("cell", {
    filter: ["td", "th"],
    replacement: (content) =>
      ` ${content
        .replace(/\s*\n\s*/g, " ")
        .replaceAll("|", "\\|")
        .trim()} |`,
  })
  writer.addRule("row", {
    filter: "tr",
    replacement(content, node) {
      const row = node as HTMLElement
      const rule = isFirst(row) ? `\n|${" --- |".repeat(row.children.length)}` : ""
      return `\n|${content}${rule}`
    },
  })
  writer.addRule("rows", { filter: ["tbody", "thead", "tfoot"], replacement: (content) => content })
  writer.addRule("table", {
    filter: "table",
    replacement: (content) => `\n\n${content.trim()}\n\n`,
  })
}

/** Markdown wants a line between the head of a table and the rest, and a head. */
function isFirst(row: HTMLElement): boolean {
  const group = row.parentElement
  return !row.previousElementSibling && (group?.nodeName === "TABLE" || !group?.previousElementSibling)
}

/** Only what could be fetched next; scripts, and data of a megabyte in a link, are of no use to a reader. */
function absolute(href: string | null, base: string): string | undefined {
  if (!href || href.length > 2000 || !URL.canParse(href, base)) return
  const url = new URL(href, base)
  return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href.replaceAll(")", "%29") : undefined
}
