import { begin, finish } from '../../support/socket-http.ts'
import type { Engine } from '../support/engine.ts'
import type { Said } from '../support/said.ts'

/** Those in which much has changed, the oldest and the newest. */
const VERSIONS = ['1.24', '1.41', '1.44', '1.48', '1.52', '1.55', '1.56'] as const

/** Milliseconds without a byte. */
const PATIENCE = 20_000

/** What is asked at every version, in order. */
interface Asked {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: object
}

/** A container that runs for as long as it is asked about. */
const BOX = {
  Image: 'busybox',
  // What it writes has a size on every file system.
  Cmd: ['sh', '-c', 'echo text > /written; exec sleep 600'],
  Labels: { a: 'b' },
  ExposedPorts: { '80/tcp': {} },
  Healthcheck: { Test: ['CMD', 'true'], Interval: 3_600_000_000_000 },
  HostConfig: {
    Binds: ['kept:/data'],
    PortBindings: { '80/tcp': [{ HostPort: '8004' }] },
    Mounts: [{ Type: 'tmpfs', Target: '/mem' }],
  },
}

const BEFORE: readonly Asked[] = [
  { method: 'POST', path: '/volumes/create', body: { Name: 'kept', Labels: { a: 'b' } } },
  { method: 'POST', path: '/networks/create', body: { Name: 'net', Labels: { a: 'b' } } },
  { method: 'POST', path: '/containers/create?name=box', body: BOX },
  { method: 'POST', path: '/networks/net/connect', body: { Container: 'box' } },
  { method: 'POST', path: '/containers/box/start' },
]

const ASKED: readonly Asked[] = [
  { method: 'HEAD', path: '/_ping' },
  { method: 'GET', path: '/_ping' },
  { method: 'GET', path: '/version' },
  { method: 'GET', path: '/info' },
  { method: 'GET', path: '/containers/json?size=1' },
  { method: 'GET', path: '/containers/box/json?size=1' },
  { method: 'GET', path: '/containers/box/top' },
  { method: 'GET', path: '/containers/box/stats?stream=false&one-shot=true' },
  { method: 'GET', path: '/containers/box/changes' },
  { method: 'GET', path: '/containers/box/logs?stdout=1' },
  { method: 'GET', path: '/containers/no-such-container/json' },
  { method: 'POST', path: '/containers/box/start' },
  { method: 'POST', path: '/containers/create', body: { Image: 'no-such-image' } },
  {
    method: 'POST',
    path: '/containers/create',
    body: { Image: 'busybox', HostConfig: { Memory: 1 } },
  },
  { method: 'POST', path: '/containers/box/exec', body: { Cmd: ['true'] } },
  { method: 'GET', path: '/images/json' },
  { method: 'GET', path: '/images/json?manifests=1&shared-size=1' },
  { method: 'GET', path: '/images/busybox/json' },
  { method: 'GET', path: '/images/busybox/history' },
  { method: 'GET', path: '/networks' },
  { method: 'GET', path: '/networks/net' },
  { method: 'GET', path: '/volumes' },
  { method: 'GET', path: '/volumes/kept' },
  { method: 'GET', path: '/system/df' },
  { method: 'GET', path: '/events?since=1&until=NOW&filters={"event":["start"]}' },
  { method: 'GET', path: '/swarm' },
  { method: 'GET', path: '/no/such/path' },
]

/**
 * What an engine answers at each version: headers, the paths of all values in documents, and their kinds. A line has the
 * versions that have it, unless all have.
 */
export async function askVersions({ socket }: Engine): Promise<readonly Said[]> {
  for (const asked of BEFORE) await ask(socket, '1.44', asked)
  const said: Said[] = []
  for (const asked of ASKED) {
    const found = new Map<string, string[]>()
    for (const version of VERSIONS) {
      for (const line of new Set(await ask(socket, version, asked))) {
        found.set(line, [...(found.get(line) ?? []), version])
      }
    }
    const title = `${asked.method} ${asked.path}${asked.body === undefined ? '' : ` ${JSON.stringify(asked.body)}`}`
    said.push({ title, lines: [...found].map(inVersions).sort() })
  }
  for (const version of ['1.23', '1.99', 'nonsense']) {
    const lines = await ask(socket, version, { method: 'GET', path: '/version' })
    said.push({ title: `GET /version at ${version}`, lines })
  }
  return said
}

function inVersions([line, versions]: readonly [string, readonly string[]]): string {
  return versions.length === VERSIONS.length ? line : `${line} [${versions.join(' ')}]`
}

const HEADERS = [
  ...['content-type', 'api-version', 'ostype', 'builder-version', 'swarm', 'cache-control'],
  ...['docker-experimental', 'pragma', 'x-docker-container-path-stat'],
]

async function ask(socket: string, version: string, asked: Asked): Promise<readonly string[]> {
  const body = asked.body === undefined ? '' : JSON.stringify(asked.body)
  const path = asked.path.replace('NOW', `${Math.floor(Date.now() / 1000)}`)
  const sent = begin(socket, asked.method, encodeURI(`/v${version}${path}`))
  if (body !== '') sent.setHeader('content-type', 'application/json')
  sent.setTimeout(PATIENCE, () => {
    sent.destroy(new Error(`no answer: ${asked.path} at ${version}`))
  })
  const answer = await finish(sent, body)
  return [
    `status ${answer.status}`,
    ...HEADERS.flatMap((name) =>
      answer.headers[name] === undefined ? [] : [`header ${name}: ${answer.headers[name]}`],
    ),
    ...linesOf(answer.body, answer.headers['content-type'] ?? ''),
  ]
}

function linesOf(content: string, type: string): readonly string[] {
  if (!type.includes('json')) return content === '' ? [] : ['a body']
  const documents = content
    .replaceAll('\u001e', '')
    .trim()
    .split(/\n(?=\{)/)
  return documents.filter((one) => one !== '').flatMap((one) => [...kindsIn(JSON.parse(one), '')])
}

/** Messages are compared as they are; lists by what is in them anywhere. */
function* kindsIn(value: unknown, path: string): Generator<string> {
  if (path === '.message') {
    yield `message: ${value}`
  } else if (Array.isArray(value)) {
    if (value.length === 0) yield `${path} []`
    for (const item of value) yield* kindsIn(item, `${path}[]`)
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    if (entries.length === 0) yield `${path} {}`
    for (const [key, item] of entries) yield* kindsIn(item, `${path}.${nameOf(key)}`)
  } else {
    yield `${path} ${value === null ? 'null' : typeof value}`
  }
}

/** Keys that are ids or addresses are of one kind. */
function nameOf(key: string): string {
  if (/^[0-9a-f]{64}$/.test(key)) return 'ID'
  return /^[0-9a-f.:]+\/\d+$/.test(key) ? 'SUBNET' : key
}
