import assert from 'node:assert/strict'
import type { JsonObject } from '#core'
import { type Dockerd, startDockerd } from '../../support/peers/index.ts'
import { askDocker } from './support/docker-http.ts'
import { ImageLab } from './support/image-lab.ts'

/** Of a layer dockerd counts its files, and this store its tar; folders are each one's own, and today's dockerd has no config of a container. */
const OWN = new Set(['Size', 'VirtualSize', 'GraphDriver', 'ContainerConfig'])

/** What is compared of a document. */
function common(document: unknown): unknown {
  if (Array.isArray(document)) return document.map(common)
  if (typeof document !== 'object' || document === null) return document
  const kept = Object.entries(document).filter(([name]) => !OWN.has(name))
  return Object.fromEntries(
    // Today's docker has none where Debian's has nothing.
    kept.map(([name, value]) => [name, name === 'Labels' ? (value ?? {}) : common(value)]),
  )
}

const query = (filters: object): string => encodeURIComponent(JSON.stringify(filters))

describe('images beside dockerd', () => {
  let lab: ImageLab
  let dockerd: Dockerd
  before(async () => {
    ;[lab, dockerd] = await Promise.all([ImageLab.start(), startDockerd()])
  })
  after(async () => {
    await dockerd[Symbol.asyncDispose]()
    await lab[Symbol.asyncDispose]()
  })

  const ask = async (method: string, path: string): Promise<unknown> => {
    const { status, documents } = await askDocker(dockerd.socket, [method, `/v1.41${path}`])
    const [document] = documents as readonly (JsonObject | undefined)[]
    return status < 300 ? document : { status, message: document?.message }
  }
  const STATUS: Readonly<Record<string, number>> = { NOT_FOUND: 404, CONFLICT: 409, USAGE: 400 }
  const tried = async (work: () => Promise<unknown>): Promise<unknown> => {
    try {
      return JSON.parse(JSON.stringify((await work()) ?? null)) as unknown
    } catch (cause) {
      const { code = '', message } = cause as { code?: string; message: string }
      return { status: STATUS[code] ?? code, message }
    }
  }

  it('say the same of a pull, and have the same documents', async () => {
    const { images, busybox } = lab
    const path = `/v1.41/images/create?fromImage=${busybox}&tag=latest`
    const words = (messages: readonly unknown[]): readonly string[] =>
      (messages as readonly JsonObject[])
        .map(({ status, id }) => `${id ?? ''} ${status}`)
        // How much of a small layer is seen on its way depends on the moment.
        .filter((line) => !/Downloading|Extracting|Verifying/.test(line))
    const pulled = words((await askDocker(dockerd.socket, ['POST', path])).documents)
    assert.ok(pulled.length >= 5)
    assert.deepEqual(words(await lab.pull()), pulled)
    const again = words((await askDocker(dockerd.socket, ['POST', path])).documents)
    assert.deepEqual(words(await lab.pull()), again)
    for (const minor of [24, 41]) {
      const at = (what: string) => askDocker(dockerd.socket, ['GET', `/v1.${minor}/images/${what}`])
      const [list] = (await at('json')).documents
      assert.deepEqual(common(await images.list({}, minor)), common(list))
      const [inspected] = (await at(`${busybox}/json`)).documents
      assert.deepEqual(common(await images.inspect({ text: busybox }, minor)), common(inspected))
      const [history] = (await at(`${busybox}/history`)).documents
      assert.deepEqual(common(await images.history({ text: busybox })), common(history))
    }
  })

  it('answer the same to what is asked of names', async () => {
    const { images, busybox } = lab
    const { id } = await images.find({ text: busybox })
    const { RepoDigests } = await images.inspect({ text: busybox }, 41)
    const [pinned] = RepoDigests as readonly string[]
    const list = (filters: object) => [
      ['GET', `/images/json?filters=${query(filters)}`] as const,
      () => images.list({ filters: JSON.stringify(filters) }, 41),
    ]
    const remove = (name: string) => [
      ['DELETE', `/images/${name}`] as const,
      () => images.remove(name, { force: false }),
    ]
    const sequence = [
      list({ reference: ['*box'] }),
      list({ reference: ['*/bus*'] }),
      list({ reference: ['*/b[a-u]s??x:l*'] }),
      list({ reference: ['*/*:latest'], dangling: ['false'] }),
      list({ label: ['none'] }),
      list({ before: ['nosuch'] }),
      remove('nosuch'),
      remove(`${busybox}:other`),
      list({ dangling: { true: true } }),
      [['POST', '/images/nosuch/tag?repo=bb&tag=1'], () => images.tag('nosuch', 'bb', '1')],
      [
        ['POST', `/images/${busybox}/tag?repo=sha256&tag=1`],
        () => images.tag(busybox, 'sha256', '1'),
      ],
      [
        ['POST', `/images/${id.slice(7, 15)}/tag?repo=bb&tag=1`],
        () => images.tag(id.slice(7, 15), 'bb', '1'),
      ],
      [
        ['POST', `/images/${busybox}/tag?repo=other/bb`],
        () => images.tag(busybox, 'other/bb', undefined),
      ],
      list({}),
      [['GET', '/images/bb:1/history'], () => images.history({ text: 'bb:1' })],
      remove(id),
      remove(String(pinned)),
      list({}),
      remove('bb:1'),
      remove('other/bb'),
      remove(id.slice(7, 19)),
      [['POST', '/images/prune'], () => images.prune(undefined)],
      list({}),
    ] as readonly (readonly [readonly [string, string], () => Promise<unknown>])[]
    for (const [[method, path], ours] of sequence) {
      const theirs = await ask(method, path)
      const own = await tried(ours)
      const isNamed = !path.includes('/tag?') || (theirs as JsonObject | undefined)?.message
      // An image that has lost its digest has null in its place there.
      const text = JSON.stringify(common(isNamed ? theirs : null)).replaceAll(
        '"RepoDigests":null',
        '"RepoDigests":[]',
      )
      assert.deepEqual(common(own), JSON.parse(text), `${method} ${path}`)
    }
    assert.deepEqual(await images.list({}, 41), [])
  })
})
