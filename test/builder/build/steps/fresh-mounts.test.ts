import assert from 'node:assert/strict'
import { outputOf, putShell, SHELL_BASE } from '../support/shell-base.ts'
import { type Built, Workplace } from '../support/workplace.ts'

/** Steps say what their cache holds, and leave their number in it. */
describe('build: cache mounts of steps that are executed although they are known', () => {
  let at: Workplace
  before(async () => {
    at = await Workplace.open()
    putShell(at)
    at.put({ seed: '' })
  })
  after(() => at[Symbol.asyncDispose]())

  /** The id of a cache is in no key: it is in the command as well. */
  const step = (number: string, fields: string): string =>
    `RUN --mount=type=cache,target=/c,${fields} : ${fields}; echo ${number}: $(ls /c); touch /c/${number}`
  const build = (lines: readonly string[], noCache: boolean | readonly string[]): Promise<Built> =>
    at.build([...SHELL_BASE, 'FROM base AS main', ...lines], { noCache })
  const seen = async (
    lines: readonly string[],
    noCache: boolean | readonly string[] = false,
  ): Promise<readonly string[]> => {
    return outputOf(await build(lines, noCache))
      .split('\n')
      .slice(0, -1)
  }

  for (const sharing of ['shared', 'private', 'locked']) {
    it(`begin empty, once in a build: ${sharing}`, async () => {
      const fields = `id=once-${sharing},sharing=${sharing}`
      const lines = [step('1', fields), step('2', fields)]
      assert.deepEqual(await seen(lines), ['1:', '2: 1'])
      assert.deepEqual(await seen([...lines, step('3', fields)]), ['3: 1 2'])
      assert.deepEqual(await seen(lines, true), ['1:', '2: 1'])
      assert.deepEqual(await seen(lines, ['main']), ['1:', '2: 1'])
    })
  }

  it('are kept for steps that are executed for another reason', async () => {
    const lines = (first: string) => [step(first, 'id=kept'), step('2', 'id=other')]
    assert.deepEqual(await seen(lines('1')), ['1:', '2:'])
    assert.deepEqual(await seen(lines('3')), ['3: 1', '2: 2'])
    assert.deepEqual(await seen(lines('3'), ['main:RUN *id=kept*']), ['3:', '2: 2'])
    const timed = ['# cache=ttl:1s', step('4', 'id=kept')]
    assert.deepEqual(await seen(timed), ['4: 3'])
    await new Promise((resolve) => setTimeout(resolve, 1100))
    assert.deepEqual(await seen(timed), ['4: 3 4'])
  })

  it('are kept for a comment, which holds for every build', async () => {
    const lines = ['# cache=never', step('1', 'id=comment'), step('2', 'id=comment')]
    assert.deepEqual(await seen(lines), ['1:', '2: 1'])
    assert.deepEqual(await seen(lines), ['1: 1 2', '2: 1 2'])
  })

  it('begin with the files of their source again', async () => {
    const fields = 'id=source,from=files,source=/d'
    const lines = (...last: readonly string[]) => [
      'RUN mkdir /d && touch /d/seed',
      'FROM main AS files',
      'FROM base AS user',
      ...last,
    ]
    assert.deepEqual(await seen(lines(step('1', fields))), ['1: seed'])
    assert.deepEqual(await seen(lines(step('2', fields))), ['2: 1 seed'])
    assert.deepEqual(await seen(lines(step('2', fields)), ['user']), ['2: seed'])
  })

  it('are those of all platforms of one build', async () => {
    const platform = ['linux/amd64', 'linux/amd64/v2']
    const lines = [...SHELL_BASE, 'FROM base', step('1', 'id=platforms,sharing=locked')]
    await at.build(lines, { platform: platform[0] ?? '' })
    if (process.arch !== 'x64') return
    const both = await at.build(lines, { noCache: true, platform, outputs: [] })
    assert.deepEqual(outputOf(both).split('\n').sort(), ['', '1:', '1: 1'])
  })
})
