/** How a registry asks for authentication. Spec: RFC 9110 11.6.1, distribution token specification. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer'
      readonly realm: string
      readonly service: string | undefined
      readonly scopes: readonly string[]
    }

const MAX_HEADER = 8 * 1024
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const PARAMETER = new RegExp(
  `^(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))\\s*(?:,\\s*|$)`,
)
const SCHEME = new RegExp(`^(${TOKEN})(?:\\s+|,\\s*|$)`)

/**
 * The challenge to answer in a `WWW-Authenticate` header: Bearer before Basic. `undefined` when there is
 * neither.
 */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined || header.length > MAX_HEADER) return undefined
  const offered = parseSchemes(header)
  const bearer = offered.find(({ scheme }) => scheme === 'bearer')?.parameters
  const realm = bearer?.get('realm')
  if (bearer !== undefined && realm !== undefined) {
    const scopes =
      bearer
        .get('scope')
        ?.split(' ')
        .filter((scope) => scope !== '') ?? []
    return { scheme: 'bearer', realm, service: bearer.get('service'), scopes }
  }
  return offered.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined
}

interface ChallengeScheme {
  readonly scheme: string
  readonly parameters: ReadonlyMap<string, string>
}

function parseSchemes(header: string): readonly ChallengeScheme[] {
  const offers: { scheme: string; parameters: Map<string, string> }[] = []
  let rest = header.trim()
  while (rest !== '') {
    const parameter = PARAMETER.exec(rest)
    const current = offers.at(-1)
    const match = parameter !== null && current !== undefined ? parameter : SCHEME.exec(rest)
    if (match === null) break
    rest = rest.slice(match[0].length)
    const [, name = '', quoted, plain = ''] = match
    if (match === parameter) {
      const value = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1')
      addParameter(current?.parameters, name.toLowerCase(), value)
    } else {
      offers.push({ scheme: name.toLowerCase(), parameters: new Map() })
    }
  }
  return offers
}

/** A repeated `scope` adds to the first; of anything else the first counts. */
function addParameter(into: Map<string, string> | undefined, name: string, value: string): void {
  const known = into?.get(name)
  if (known === undefined) into?.set(name, value)
  else if (name === 'scope') into?.set(name, `${known} ${value}`)
}
