import { AppError } from "../../base/errors.ts"
import { json, readBody } from "./body.ts"
import { type HttpContext, requireCaller } from "./endpoint.ts"

/** Keeps the body as a file for `chat.send`. Its name may come as `?name=`; its type is what its bytes say. */
export async function postFile(context: HttpContext): Promise<Response> {
  const { app, request } = context
  const { token_id } = requireCaller(context)
  const bytes = await readBody(request, app.live().gateway.file_bytes_max)
  if (bytes.length === 0)
    throw new AppError("invalid_params", { path: "/", expected: "a body with the file's bytes" })
  const name = new URL(request.url).searchParams.get("name")?.slice(0, 255) ?? null
  const file = await app.files.put({ bytes, name, token_id })
  return json({ file_id: file.id, mime: file.mime, bytes: file.bytes }, 201)
}
