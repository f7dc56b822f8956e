import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { COMMANDS } from '../../../cli/choose/table.ts'
import { runProgram } from '../../../cli/main.ts'
import { fakeShell } from '../support/fake-shell.ts'

async function script(name: string): Promise<string> {
  const shell = fakeShell()
  assert.equal(await runProgram(['completion', name], shell), 0)
  return shell.out()
}

/** Command lines as bash splits them, with the last word unfinished, and what it is completed to. */
const COMPLETED: readonly (readonly [readonly string[], readonly string[]])[] = [
  [['imag'], ['images']],
  [['lo'], ['logs', 'load', 'login', 'logout']],
  [['a f'], ['a file']],
  [['--no-cac'], ['--no-cache', '--no-cache-filter']],
  [['images', '--f'], ['--format']],
  [
    ['images', '--format', ''],
    ['table', 'json'],
  ],
  [['graph', '--format', '=', 's'], ['svg']],
  [['network', 'con'], ['connect']],
  [['network', 'create', '--subn'], ['--subnet']],
  [['ps', '--no-t'], ['--no-trunc']],
  [
    ['--network', '='],
    ['default', 'none', 'host'],
  ],
  [['-f', 'D'], ['Dockerfile']],
  [['build', '--file', '=', 'D'], ['Dockerfile']],
  [['fmt', '-w', 'D'], ['Dockerfile']],
  [['--target', 'D'], []],
]

describe('completion', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'completion-'))
    for (const name of ['Dockerfile', 'a file']) writeFileSync(join(folder, name), '')
    mkdirSync(join(folder, 'x'))
  })
  after(() => rmSync(folder, { recursive: true }))

  for (const [words, expected] of COMPLETED) {
    it(`in bash gives ${expected.join(' and ') || 'nothing'} for ${words.join(' ')}`, async () => {
      const ask = `COMP_WORDS=(tsbuild "$@"); COMP_CWORD=$#; _tsbuild; printf '%s\\n' "\${COMPREPLY[@]}"`
      const argv = ['-c', `${await script('bash')}\n${ask}`, 'bash', ...words]
      const out = execFileSync('bash', ['--norc', ...argv], { cwd: folder, encoding: 'utf8' })
      assert.deepEqual(
        out.split('\n').filter((line) => line !== ''),
        expected,
      )
    })
  }

  for (const name of ['bash', 'zsh', 'fish']) {
    it(`of ${name} has every command and flag, and is valid where ${name} is installed`, async () => {
      const text = await script(name)
      for (const { name: command, flags } of COMMANDS) {
        assert.match(text, new RegExp(`\\b${command}\\b`))
        for (const flag of flags) {
          if (flag.isHidden === true) continue
          const spelling = name === 'fish' ? `-l ${flag.name} ` : `--${flag.name}`
          assert.ok(text.includes(spelling), spelling)
        }
      }
      const checked = spawnSync(name, ['-n'], { input: text, encoding: 'utf8' })
      if (checked.error === undefined) assert.deepEqual([checked.status, checked.stderr], [0, ''])
    })
  }

  it('offers the words that the help names', () => {
    const flags = COMMANDS.flatMap((command) => command.flags)
    const listed = flags.filter(({ values, name }) => Array.isArray(values) && name !== 'call')
    assert.ok(listed.length > 4)
    for (const { values, help } of listed) {
      assert.ok(Array.isArray(values))
      for (const value of values) assert.ok(help.includes(value), `${help}: ${value}`)
    }
  })

  it('refuses a shell that it does not know', async () => {
    const shell = fakeShell()
    assert.equal(await runProgram(['completion', 'csh'], shell), 1)
    assert.match(shell.err(), /unknown shell "csh".*choose one of bash, zsh, fish/s)
  })
})
