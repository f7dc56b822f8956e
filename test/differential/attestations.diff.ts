import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from '#builder'
import type { Json } from '#core'
import { isJsonObject } from '#core'
import { type AttestedImage, readAttested } from '../attest/attested-layout.ts'
import {
  type Buildkitd,
  findPeers,
  type Registry,
  run,
  startBuildkitd,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
  unpackPeers,
} from '../support/peers/index.ts'
import { startWebServer, type WebServer } from '../support/servers/index.ts'

/** What BuildKit says besides: versions of its parts, and what frontends ask of each other. */
const ONLY_THERE = [
  /^externalParameters\.request\.(?:root|compatibilityVersion)\b/,
  /^internalParameters\.(?:dockerfileVersion|buildConfig\.digestMapping)\b/,
  /^metadata\.buildkit_metadata\.source\.infos\[\]\.(?:llbDefinition|digestMapping)\b/,
]

describe('what BuildKit says of an image', () => {
  let peers: string
  let directory: TemporaryDirectory
  let buildkitd: Buildkitd
  let registry: Registry
  let web: WebServer

  before(async function () {
    const found = findPeers()
    if (found === undefined) return this.skip()
    peers = await unpackPeers(found)
    directory = temporaryDirectory('attested')
    registry = await startRegistry()
    buildkitd = await startBuildkitd(peers)
    web = await startWebServer((_request, response) => void response.end('text'))
    mkdirSync(directory.file('context'))
    writeFileSync(directory.file('context/a'), 'A')
    const dockerfile = `FROM scratch AS one\nARG V=1\nADD ${web.origin}/file /\nCOPY a /a\nFROM scratch\nCOPY --from=one /a /b\nCOPY a /c\n`
    writeFileSync(directory.file('context/Dockerfile'), dockerfile)
  })
  after(async () => {
    await web?.[Symbol.asyncDispose]()
    await buildkitd?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  async function both(mode: 'min' | 'max'): Promise<readonly [AttestedImage, AttestedImage]> {
    const [theirs, ours] = ['buildkit', 'tsbuild'].map((name) => directory.file(`${name}-${mode}`))
    const context = directory.file('context')
    const name = 'localhost:5000/x:1'
    await buildkitd.build(context, [
      ...['--opt', `attest:provenance=mode=${mode}`, '--opt', 'build-arg:V=2'],
      ...['--output', `type=oci,tar=false,name=${name},dest=${theirs}`],
    ])
    await build({
      context,
      root: directory.file('store'),
      tags: [name],
      buildArgs: { V: '2' },
      attestations: { provenance: { mode } },
      outputs: [{ type: 'oci', dest: ours ?? '', tar: false }],
    })
    const [[there], [here]] = [readAttested(theirs ?? ''), readAttested(ours ?? '')]
    assert.ok(there !== undefined && here !== undefined)
    return [there, here]
  }

  for (const mode of ['min', 'max'] as const) {
    it(`has the same form: mode=${mode}`, async () => {
      const [there, here] = await both(mode)
      const form = ({ about, statements }: AttestedImage): Json => {
        const { document, entry } = about ?? {}
        const { annotations = {}, platform } = entry ?? {}
        const { subject: _, layers = [], ...manifest } = document ?? {}
        const types = layers.map((layer) => ({ ...layer.annotations, type: layer.mediaType }))
        const [statement] = statements
        const names = statement?.subject.map(({ name }) => name) ?? []
        const { _type: type = '' } = statement ?? {}
        const listed = { annotations: Object.keys(annotations), platform: { ...platform } }
        return JSON.parse(JSON.stringify({ listed, manifest, types, names, type })) as Json
      }
      assert.deepEqual(form(here), form(there))
      assert.equal(here.about?.document.subject.digest, here.entry.digest)
    })

    it(`says what BuildKit says, and nothing else: mode=${mode}`, async () => {
      const [there, here] = await both(mode)
      const said = ({ statements }: AttestedImage): ReadonlySet<string> => {
        const { buildDefinition, runDetails } = statements[0]?.predicate ?? {}
        return new Set([...membersOf(buildDefinition), ...membersOf(runDetails)])
      }
      const [theirs, ours] = [said(there), said(here)]
      assert.ok(theirs.size > 10)
      const missing = [...theirs].filter((path) => !ours.has(path))
      const isKnown = (path: string): boolean => ONLY_THERE.some((one) => one.test(path))
      assert.deepEqual(
        missing.filter((path) => !isKnown(path)),
        [],
      )
      assert.deepEqual(
        [...ours].filter((path) => !theirs.has(path)),
        [],
      )
    })
  }

  it('is said by tsbuild in a way that buildx reads', async () => {
    const name = `${registry.host}/read:1`
    await build({
      context: directory.file('context'),
      root: directory.file('store'),
      tags: [name],
      attestations: { provenance: { mode: 'max' }, sbom: { formats: ['spdx'] } },
      outputs: [{ type: 'registry' }],
    })
    const env = { BUILDX_CONFIG: directory.file('bx'), DOCKER_CONFIG: directory.file('dc') }
    const read = async (field: string): Promise<Record<string, Record<string, unknown>>> => {
      const format = ['--format', `{{json .${field}}}`]
      const args = ['imagetools', 'inspect', name, ...format]
      return JSON.parse((await run(join(peers, 'docker-buildx'), args, { env })).stdout)
    }
    const provenance = await read('Provenance')
    assert.deepEqual(Object.keys(provenance.SLSA ?? {}), ['buildDefinition', 'runDetails'])
    assert.equal((await read('SBOM')).SPDX?.spdxVersion, 'SPDX-2.3')
  })
})

/** The members of a document by their paths; those of steps and names that a user gives are one each. */
function* membersOf(value: Json, path = ''): Generator<string> {
  if (Array.isArray(value)) {
    for (const one of value as readonly Json[]) yield* membersOf(one, `${path}[]`)
  } else if (isJsonObject(value)) {
    for (const [key, one] of Object.entries(value)) {
      const name = /^step\d+(:0)?$/.exec(key) === null ? key : 'stepN'
      const at = path === '' ? name : `${path}.${name}`
      yield at
      if (key !== 'op' && key !== 'args') yield* membersOf(one, at)
    }
  }
}
