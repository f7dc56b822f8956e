import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../../../cli/main.ts'
import { fakeShell } from '../support/fake-shell.ts'

const SHOP = fileURLToPath(new URL('../../../../fixtures/graph/shop', import.meta.url))

interface Stage {
  readonly name: string | null
  readonly base: object
  readonly platform: string | null
  readonly needed: boolean
}

interface Run {
  readonly argv?: readonly string[]
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
}

async function run({ argv = ['-f', '-'], stdin = '', env = {} }: Run) {
  const shell = fakeShell({ stdin, env })
  const code = await runProgram(['graph', ...argv], shell)
  return { code, out: shell.out(), err: shell.err() }
}

async function stagesOf({ argv = ['-f', '-'], ...rest }: Run): Promise<readonly Stage[]> {
  const { code, out, err } = await run({ argv: ['--format', 'json', ...argv], ...rest })
  assert.deepEqual([code, err], [0, ''])
  return JSON.parse(out).stages
}

describe('tsbuild graph', () => {
  it('lists the stages of a folder and marks what the target does not need', async () => {
    const { code, out } = await run({ argv: ['--target', 'Build', SHOP] })
    assert.equal(code, 0)
    assert.match(out, /^5 stages, 3 of them needed, target build\n/)
    assert.match(out, /^test {2}\(stage 3, not needed\)$/m)
    assert.match(out, /^┊ {2}20 {2}COPY --from=dependencies .* ← dependencies$/m)
  })

  for (const [format, start] of [
    ['text', '5 stages'],
    ['json', '{'],
    ['dot', 'digraph '],
    ['svg', '<svg '],
    ['mermaid', 'flowchart '],
  ] as const) {
    it(`prints ${format}`, async () => {
      const { code, out, err } = await run({ argv: ['--format', format, SHOP] })
      assert.deepEqual([code, err, out.slice(0, start.length)], [0, '', start])
    })
  }

  it('expands FROM lines with global arguments, their values and the platform', async () => {
    const stdin = 'ARG V=1\nARG W\nFROM --platform=$TARGETPLATFORM a:$V-$W AS $TARGETARCH\n'
    const fixed = stdin.replace('$TARGETARCH', 'x')
    const argv = ['-f', '-', '--build-arg', 'V=2', '--build-arg', 'W', '--platform', 'linux/arm64']
    const [stage] = await stagesOf({ argv, stdin: fixed, env: { W: '3' } })
    assert.deepEqual(stage?.base, { image: 'a:2-3' })
    assert.equal(stage?.platform, 'linux/arm64')
  })

  it('has the triggers that stages pass on to each other', async () => {
    const stdin = 'FROM a AS tools\nFROM b AS parent\nONBUILD COPY --from=tools /x /\nFROM parent\n'
    const { out } = await run({ stdin })
    assert.match(out, /^├─ 4 {2}FROM parent {2}← parent\n└─ 4 {2}ONBUILD COPY .* ← tools$/m)
    const needed = (await stagesOf({ stdin })).map((stage) => stage.needed)
    assert.deepEqual(needed, [true, true, true])
  })

  it('asks no registry and touches no store', async () => {
    const env = { TSBUILD_ROOT: '/nowhere/store' }
    const stages = await stagesOf({ stdin: 'FROM localhost:1/none\n', env })
    assert.deepEqual(stages[0]?.base, { image: 'localhost:1/none' })
    assert.equal(existsSync('/nowhere'), false)
  })

  it('fails as a build does, with the line and a caret', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      [
        'FROM a\nCOPY --from=7 a b\n',
        /> COPY --from=7 a b\n.*\^\n[\s\S]*invalid stage index 7 \(DOCK/,
      ],
      ['FROM a\nENV $\n', /> ENV \$\n[\s\S]*ENV must have two arguments \(DOCK/],
      ['FROM A\n', />>> FROM A\n[\s\S]*\(REFERENCE_INVALID\)/],
      ['FROM --platform=x a\n', />>> FROM --platform=x a\n[\s\S]*\(PLATFORM_MISMATCH\)/],
      ['FROM $X\n', /base name \(\$X\) should not be blank/],
    ]
    for (const [stdin, expected] of cases) {
      const { code, out, err } = await run({ stdin })
      assert.deepEqual([code, out], [1, ''])
      assert.match(err, expected)
    }
  })

  it('says what is wrong with its command line', async () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['--format', 'sgv', SHOP], /unknown format "sgv" \(USAGE\)\nhint: did you mean svg\?/],
      [['--format', 'png', SHOP], /hint: choose one of text, json, dot, svg, mermaid\n/],
      [['--target', 'tset', SHOP], /could not be found \(did you mean test\?\) \(USAGE\)/],
      [[`${SHOP}/none`], /\(CONTEXT_INVALID\)/],
      [['a', 'b'], /unexpected argument "b"/],
    ]
    for (const [argv, expected] of cases) {
      const { code, out, err } = await run({ argv })
      assert.deepEqual([code, out], [1, ''])
      assert.match(err, expected)
    }
  })
})
