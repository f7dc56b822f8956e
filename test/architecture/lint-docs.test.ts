import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parsePlatform } from '#core'
import { type CheckedBase, checkDockerfile, RULES } from '#parser'
import { kebabName } from '../support/golden/index.ts'

const FOLDER = fileURLToPath(new URL('../../../docs/lint', import.meta.url))
const PAGES = readdirSync(FOLDER).filter((name) => name !== 'README.md')
const read = (page: string): string => readFileSync(`${FOLDER}/${page}`, 'utf8')

function baseOf(image: string): CheckedBase {
  const expected = parsePlatform('linux/arm64')
  const actual = parsePlatform(image.endsWith('amd64') ? 'linux/amd64' : 'linux/arm64')
  return { image, env: [], hasShell: false, expected, actual }
}

/** The names of all rules that have something to say about an example of a page. */
function rulesFor(example: string): readonly string[] {
  const dockerignore = /^# \.dockerignore has the line: (.*)$/m.exec(example)?.[1] ?? ''
  const { warnings } = checkDockerfile(example, {
    dockerignore,
    buildArgs: { BUILDKIT_DOCKERFILE_CHECK: 'experimental=all' },
    baseOf: ({ base }) => (base.kind === 'image' ? baseOf(base.name) : undefined),
  })
  return warnings.map(({ rule }) => rule)
}

describe('pages on build checks', () => {
  it('are one a rule', () => {
    const wanted = [...RULES.keys()].map((name) => `${kebabName(name)}.md`)
    assert.ok(wanted.length > 20)
    assert.deepEqual(PAGES.toSorted(), wanted.toSorted())
  })

  it('are all in the index, with what the reports say about them', () => {
    const rows = [...read('README.md').matchAll(/^\| \[(\w+)\]\(([\w-]+\.md)\) \| (.*) \|$/gm)]
    assert.deepEqual(
      rows.map(([, name, page, description]) => [name, page, description]),
      [...RULES.values()].map(({ name, description }) => {
        return [name, `${kebabName(name)}.md`, description]
      }),
    )
  })

  it('link to where BuildKit says the same', () => {
    for (const { name, url } of RULES.values()) {
      if (url === undefined) continue
      assert.equal(url, `https://docs.docker.com/go/dockerfile/rule/${kebabName(name)}/`)
    }
    assert.equal(kebabName('JSONArgsRecommended'), 'json-args-recommended')
  })

  for (const name of RULES.keys()) {
    it(`${name}: the bad example is found, the good one is not`, () => {
      const page = read(`${kebabName(name)}.md`)
      assert.match(page, new RegExp(`^# ${name}\n\nSays: `))
      const examples = [...page.matchAll(/^```dockerfile\n([\s\S]*?)^```$/gm)]
      const [bad = '', good = ''] = examples.map(([, example]) => example)
      assert.ok(rulesFor(bad).includes(name))
      assert.ok(good !== '' && !rulesFor(good).includes(name))
    })
  }
})
