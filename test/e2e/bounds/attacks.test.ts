/**
 * Attacks by each kind of input, as the whole program meets them; other tests show that each part withstands them. What
 * is bounded is in test/support/watch.
 */
import assert from 'node:assert/strict'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import {
  type TemporaryDirectory,
  temporaryDirectory,
  writeLayout,
} from '../../support/peers/index.ts'
import { file, gnuLong, hardlink, header, pax, tar } from '../../support/raw-tar/index.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'
import { watched } from '../../support/watch/index.ts'
import { writeContext } from '../support/context.ts'
import { tsbuild } from '../support/tsbuild.ts'

const MANY = 20_000
/** Of files that are written to the disk. */
const FILES = 4000
const KIB = 1024

const list = <T>(count: number, item: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => item(index))

/** Layers of a base image, all of whose files are copied. */
const LAYERS: Readonly<Record<string, Buffer>> = {
  'very many long names and headers': tar(
    ...list(MANY, (index) => gnuLong('L', `n${index}`)),
    ...list(MANY, () => pax({ comment: 'x' }, 'g')),
    file('x', '1'),
  ),
  'very many files': tar(...list(FILES, (index) => header({ name: `f${index}` }))),
  'very many links': tar(file('f', 'x'), ...list(FILES, (index) => hardlink(`l${index}`, 'f'))),
  'a path that is longer than any of the kernel': tar(
    pax({ path: `${`${'d'.repeat(255)}/`.repeat(60)}f` }),
    file('x', 'deep'),
  ),
}

/** Texts, and why they are refused if they are. */
const DOCKERFILES: Readonly<Record<string, readonly [text: string, refusal?: RegExp]>> = {
  'stages without an end': ['FROM scratch\n'.repeat((64 * KIB) / 13)],
  'stages on stages': [
    `FROM scratch AS s0\n${list(3000, (index) => `FROM s${index} AS s${index + 1}\n`).join('')}`,
  ],
  'triggers of many stages': [
    [
      `FROM scratch AS s\n${'ONBUILD ENV a=b\n'.repeat(1000)}`,
      ...list(1000, (index) => `FROM s AS s${index}\nCOPY --from=s${index - 1} / /\n`).with(
        0,
        'FROM s AS s0\n',
      ),
    ].join(''),
    /more than 10000 triggers/,
  ],
  'a variable that doubles itself': [
    `FROM scratch\nARG a=x\n${'ENV a=$a$a\n'.repeat(50)}`,
    /too long/,
  ],
  'variables in each other': [
    `FROM scratch\nENV a=${'${a:-'.repeat(5000)}${'}'.repeat(5000)}`,
    /UndefinedVar/,
  ],
  'pairs on many lines': [`FROM scratch\nENV ${'a=b c=d \\\n'.repeat(6 * KIB)}e=f`],
}

describe('attacks, through the command line', () => {
  let directory: TemporaryDirectory
  beforeEach(() => {
    directory = temporaryDirectory('attacks')
  })
  afterEach(() => directory[Symbol.dispose]())

  async function attack(args: readonly string[], refusal?: RegExp): Promise<void> {
    const { status, stdout, stderr } = await tsbuild(args, {
      root: directory.file('store'),
      env: { NODE_OPTIONS: watched() },
    })
    const said = `${stdout}${stderr}`
    assert.equal(status, refusal === undefined ? 0 : 1, said)
    if (refusal !== undefined) assert.match(said, refusal)
  }

  /** @returns the words that make a layout the image `base` */
  async function baseOf(path: string, config: object = {}): Promise<readonly string[]> {
    const layout = directory.file('layout')
    await writeLayout(layout, { tar: path, config: { ...config } })
    return ['--build-context', `base=oci-layout://${layout}:latest`]
  }

  /** @returns the words that build it with an archive of the result */
  function buildOf(dockerfile: string): readonly string[] {
    const context = writeContext(directory.file('context'), { Dockerfile: dockerfile })
    return ['-o', `type=oci,dest=${directory.file('image.tar')}`, context]
  }

  for (const [title, layer] of Object.entries(LAYERS)) {
    it(`a layer has ${title}`, async () => {
      const path = directory.file('layer.tar')
      writeFileSync(path, layer)
      await attack([...(await baseOf(path)), ...buildOf('FROM scratch\nCOPY --from=base / /\n')])
    })
  }

  it('a layer has zeros behind its end', async () => {
    const path = directory.file('layer.tar')
    writeFileSync(path, tar(file('a', '1')))
    truncateSync(path, 128 << 20)
    await attack([...(await baseOf(path)), ...buildOf('FROM scratch\nCOPY --from=base / /\n')])
  })

  it('a config has very many triggers', async () => {
    const path = directory.file('layer.tar')
    writeFileSync(path, tar(file('a', '1')))
    const base = await baseOf(path, { OnBuild: list(MANY, () => 'RUN x') })
    await attack([...base, ...buildOf('FROM base\n')], /more than 10000 triggers/)
  })

  for (const [title, [text, refusal]] of Object.entries(DOCKERFILES)) {
    it(`a Dockerfile has ${title}`, async () => {
      await attack(['--call=check', ...buildOf(text)], refusal)
    })
  }

  it('a context has very many files, and patterns that are slow to match', async () => {
    const context = directory.file('context/a/a/a/a/a/a')
    mkdirSync(context, { recursive: true })
    for (const index of list(FILES, (index) => index)) writeFileSync(`${context}/${index}`, '')
    const patterns = [`${'**/a/'.repeat(40)}b`, `${'*a'.repeat(40)}b`, '!**/*7*']
    writeContext(directory.file('context'), { '.dockerignore': patterns.join('\n') })
    await attack(buildOf('FROM scratch\nCOPY . /\n'))
  })

  it('a registry answers with very much that is no manifest', async () => {
    await using registry = await MemoryRegistry.start()
    const headers = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }
    for (const body of ['['.repeat(4000 * KIB), '[1],'.repeat(20_000 * KIB)]) {
      registry.fail({
        path: /manifests/,
        times: 99,
        action: { kind: 'reply', reply: { status: 200, headers, body } },
      })
      await attack(buildOf(`FROM ${registry.host}/base\n`), /base/)
    }
  })
})
