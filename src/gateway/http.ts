import type { App } from "./app.ts"
import { errorResponse, json, text } from "./http/body.ts"
import { type Endpoint, type HttpContext, requireScope } from "./http/endpoint.ts"
import { postFile } from "./http/files.ts"
import { metricsText } from "./http/metrics.ts"
import { listModels, postChatCompletion } from "./http/openai.ts"
import { clientScript, controlPage } from "./http/page.ts"
import { readiness } from "./http/ready.ts"
import { postRpc } from "./http/rpc.ts"
import { getWebhook, postWebhook, webhook_path } from "./http/webhook.ts"
import { openRpcDocument } from "./openrpc.ts"
import { reported } from "./rpc.ts"

/** Everything that is served beside `/ws`. */
export const endpoints: Endpoint[] = [
  { method: "POST", path: "/rpc", scope: "asked", ...postRpc },
  { method: "POST", path: "/files", scope: "chat", run: postFile },
  { method: "POST", path: "/v1/chat/completions", scope: "chat", ...postChatCompletion },
  { method: "GET", path: "/v1/models", scope: "read", ...listModels },
  { method: "GET", path: "/health", scope: "none", run: () => text("ok") },
  { method: "GET", path: "/ready", scope: "read", run: readiness },
  { method: "GET", path: "/metrics", scope: "asked", run: metrics },
  {
    method: "GET",
    path: "/openrpc.json",
    scope: "none",
    run: ({ app }) => json(openRpcDocument(app.methods, app.version)),
  },
  { method: "POST", path: webhook_path, scope: "none", run: postWebhook },
  { method: "GET", path: webhook_path, scope: "none", run: getWebhook },
  { method: "GET", path: "/", scope: "none", run: controlPage },
  { method: "GET", path: "/client.js", scope: "none", run: clientScript },
]

function metrics({ app, caller }: HttpContext): Response {
  if (!app.live().gateway.metrics_public) requireScope(caller, "read")
  return text(metricsText(app), 200, "text/plain; version=0.0.4; charset=utf-8")
}

/** Runs an endpoint. The boundary of every HTTP request: nothing is thrown past it. */
export async function serve(endpoint: Endpoint, open: () => HttpContext, app: App): Promise<Response> {
  try {
    const context = open()
    if (endpoint.scope !== "none" && endpoint.scope !== "asked") requireScope(context.caller, endpoint.scope)
    return await endpoint.run(context)
  } catch (thrown) {
    const error = reported(thrown, app)
    return endpoint.fail?.(error) ?? errorResponse(error)
  }
}
