/** An article of about `bytes`, with all that a site puts around one. */
export function articlePage(bytes: number): string {
  const words =
    "the water of a small harbour rises later than that of the open coast and its keepers write the hour into books which nobody reads again until a storm has taken the quay".split(
      " ",
    )
  const sentence = (from: number) =>
    Array.from({ length: 70 }, (_, i) => words[(i * 7 + from) % words.length]).join(" ")
  const chapter = (i: number) => `<h2 id="c${i}">Chapter ${i}</h2>
    ${[1, 2, 3, 4, 5].map((p) => `<p>Now ${sentence(i + p)}, see <a href="/notes/${i}-${p}">note ${i}.${p}</a> and <em>others</em>.</p>`).join("\n")}
    <ul><li>first of ${i}</li><li>second <code>x=${i}</code></li></ul>
    <pre><code class="language-js">const chapter = ${i}</code></pre>
    <figure><img src="../i/${i}.png" alt="Tide ${i}"></figure>
    <table><thead><tr><th>Hour</th><th>Height</th></tr></thead><tbody><tr><td>${i}</td><td>2 | 3</td></tr></tbody></table>`
  const links = Array.from(
    { length: 60 },
    (_, i) => `<li class="nav"><a href="/s/${i}">Section ${i}</a></li>`,
  )
  const parts = [
    `<!doctype html><html lang="en"><head><title>On the tides of small harbours</title>
    <meta charset="utf-8"><style>body { margin: 0 }</style><script>window.evil = "script"</script></head>
    <body><header><nav><ul>${links.join("")}</ul></nav></header><main><article><h1>On the tides of small harbours</h1>`,
  ]
  let size = parts[0]!.length
  const add = (part: string) => {
    size += part.length
    parts.push(part)
  }
  for (let i = 1; size < bytes * 0.85; i++) add(chapter(i))
  add("</article></main><aside>")
  for (let i = 1; size < bytes; i++)
    add(
      `<div class="card related"><a href="/r/${i}"><img src="/t.png"><span>Advertisement ${i}</span></a></div>`,
    )
  return `${parts.join("")}</aside><footer>Copyright</footer></body></html>`
}
