/** A value in a query: left out when it is `undefined`, several times for a list. */
type QueryValue = string | number | boolean | undefined | readonly string[]

/** What is asked of an engine. */
export interface EngineRequest {
  /** Default: `GET` */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  /** Without a version, and without a query: `/containers/json`. Parts that are names are encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, QueryValue>>
  /** Headers beside those of the body. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly signal?: AbortSignal | undefined
}

/** A document, or a tar as it comes. */
export type RequestBody =
  | { readonly kind: 'json'; readonly value: object }
  | { readonly kind: 'tar'; readonly bytes: AsyncIterable<Uint8Array> }

/** A path in which names stand: each is one part, whatever is in it. */
export function pathOf(words: TemplateStringsArray, ...names: readonly string[]): string {
  return words.map((word, index) => word + encodeURIComponent(names[index] ?? '')).join('')
}

/** The target of a request for a version. */
export function targetOf({ path, query = {} }: EngineRequest, version: string): string {
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    if (Array.isArray(value)) for (const one of value) words.append(name, String(one))
    else words.append(name, typeof value === 'boolean' ? (value ? '1' : '0') : String(value))
  }
  const text = words.size === 0 ? '' : `?${words}`
  return `/v${version}${path}${text}`
}

/** Headers of a request with its body. */
export function headersOf({ body, headers = {} }: EngineRequest): Record<string, string> {
  const types = { json: 'application/json', tar: 'application/x-tar' }
  const type = body === undefined ? {} : { 'content-type': types[body.kind] }
  return { host: 'docker', 'user-agent': 'tsbuild', ...type, ...headers }
}
