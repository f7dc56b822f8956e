import assert from 'node:assert/strict'
import { COMMANDS } from '../../../cli/choose/table.ts'
import { loadCommand } from '../../../cli/commands/command.ts'
import { commandHelp, programHelp } from '../../../cli/commands/help-text.ts'

const LOADED = await Promise.all(COMMANDS.map(loadCommand))
const ALL = LOADED.flatMap((command) => {
  const { subcommands = [] } = command
  return [command, ...subcommands.map((one) => ({ ...one, name: `${command.name} ${one.name}` }))]
})

describe('help', () => {
  for (const command of ALL) {
    const text = commandHelp(command)

    it(`of ${command.name} fits 100 columns`, () => {
      const long = text.split('\n').filter((line) => line.length > 100)
      assert.deepEqual(long, [])
    })

    it(`of ${command.name} names every flag once, with its value and what it does`, () => {
      assert.ok(command.flags.length > 0)
      for (const { name, short, metavar, help, isHidden } of command.flags) {
        if (isHidden === true) continue
        const syntax = `--${name}${metavar === undefined ? '' : ` ${metavar}`}`
        const shown = text.split('\n').filter((line) => {
          return new RegExp(`^ {2}(?:-\\w, | {4})${literally(syntax)}(?: {2}|$)`).test(line)
        })
        assert.equal(shown.length, 1, syntax)
        if (short !== undefined) assert.match(shown[0] ?? '', new RegExp(`^ {2}-${short}, `))
        assert.match(help, /^[A-Zt].*[^.]$/)
      }
    })

    it(`of ${command.name} has flags with different names`, () => {
      const names = command.flags.flatMap(({ name, short }) => [name, short ?? name.concat('-')])
      assert.equal(new Set(names).size, names.length)
    })
  }

  it('of the program lists the commands and explains a build', () => {
    const text = programHelp(COMMANDS)
    for (const { name, summary } of COMMANDS) {
      assert.match(text, new RegExp(`^ {2}${name} +${literally(summary.slice(0, 40))}`, 'm'))
    }
    assert.match(text, /--build-arg KEY\[=VALUE\]/)
    assert.deepEqual(
      text.split('\n').filter((line) => line.length > 100),
      [],
    )
  })
})

/** `text` as a pattern that fits nothing else. */
function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
