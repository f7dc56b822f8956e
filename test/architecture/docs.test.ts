import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KANIKO_FLAGS } from '../../cli/kaniko/kaniko-flags.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

function filesBelow(folder: string, ending: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
}

describe('documents', () => {
  it('list every error code, and no other', () => {
    const inCode = [...read('core/errors.ts').matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(
      ([, code]) => code,
    )
    const inDocs = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code]) => code)
    assert.ok(inCode.length > 15)
    assert.deepEqual(inDocs.toSorted(), inCode.toSorted())
  })

  it('list every flag of kaniko, and no other', () => {
    const [, text = ''] = read('docs/kaniko.md').split('## Flags')
    const rows = (text.split('\n## ')[0] ?? '').matchAll(/^\| (`-.*?) \|/gm)
    const inDocs = [...rows].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`--([A-Za-z-]+)`/g)].map(([, name]) => name),
    )
    assert.deepEqual(inDocs.toSorted(), KANIKO_FLAGS.map(({ name }) => name).toSorted())
  })

  it('name only files that exist', () => {
    for (const document of ['README.md', ...filesBelow('docs', '.md')]) {
      const links = [...read(document).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(
        ([, to]) => to ?? '',
      )
      for (const link of links) {
        const path = join(ROOT, dirname(document), link)
        assert.ok(statSync(path, { throwIfNoEntry: false }), `${document} links to ${link}`)
      }
    }
  })

  it('have decisions numbered without gaps or repetition', () => {
    const numbers = readdirSync(join(ROOT, 'docs/adr')).map((name) => Number(name.slice(0, 4)))
    assert.deepEqual(
      numbers.toSorted((a, b) => a - b),
      numbers.map((_, index) => index + 1),
    )
  })

  it('map every area', () => {
    const areas = filesBelow('.', 'tsconfig.json')
      .filter((path) => !/node_modules|^dist|^test|^bench/.test(path))
      .map((path) => relative('.', dirname(path)))
      .filter((area) => area !== '')
    const map = read('docs/architecture.md')
    assert.ok(areas.length > 10)
    for (const area of areas)
      assert.ok(map.includes(`| \`${area}\` |`), `${area} is not on the map`)
  })
})
