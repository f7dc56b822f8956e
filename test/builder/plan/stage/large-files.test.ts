import assert from 'node:assert/strict'
import { plan } from '../support.ts'

describe('plan: large files', () => {
  const lines = (count: number, line: (index: number) => string): string =>
    ['FROM base', ...Array.from({ length: count }, (_, index) => line(index))].join('\n')

  for (const [name, line, most = 4000] of [
    ['ENV', (index: number) => `ENV k${index}=\${k${index - 1}:+v}`],
    ['ARG', (index: number) => `ARG k${index}=v`],
    ['LABEL', (index: number) => `LABEL k${index}=v`],
    ['EXPOSE', (index: number) => `EXPOSE ${index + 1}`],
    ['VOLUME', (index: number) => `VOLUME /v${index}`],
    ['RUN', (index: number) => `RUN ${index}`],
    ['ONBUILD', (index: number) => `ONBUILD RUN ${index}`, 30_000],
    ['FROM', (index: number) => `FROM base AS s${index}`, 30_000],
    [
      'FROM a stage',
      (index: number) => `FROM ${index === 0 ? 'base' : `s${index - 1}`} AS s${index}`,
      20_000,
    ],
  ] as const) {
    it(`of ${name} take no more time for a line than small ones`, async () => {
      const time = async (count: number): Promise<number> => {
        const text = lines(count, line)
        const start = process.cpuUsage()
        await plan(text)
        const { user, system } = process.cpuUsage(start)
        return (user + system) / 1000
      }
      const small = await time(500)
      const large = await time(most)
      const bound = (most / 250) * small + 300
      assert.ok(large < bound, `500 lines took ${small} ms, ${most} took ${large} ms`)
    })
  }

  for (const [what, text, message] of [
    [
      'a variable that doubles itself',
      lines(100, (index) => (index === 0 ? 'ARG a=0123456789' : 'ARG a=$a$a')),
      /^failed to process "\$a\$a": result is too long$/,
    ],
    [
      'many long variables',
      lines(100, (index) => (index < 17 ? `ENV a=x$a$a` : `ENV a${index}=$a`)),
      /^the variables of this stage have more than 4194304 characters$/,
    ],
    [
      'long arguments in every RUN',
      lines(1000, (index) => (index < 20 ? 'ARG a=x$a$a' : 'RUN x')),
      /^the history of this stage has more than 67108864 characters$/,
    ],
    [
      'triggers that many stages get',
      `${lines(1000, () => 'ONBUILD RUN x').replace('base', 'base AS s0')}\n${lines(1000, (index) => `FROM s0\nCOPY --from=${index + 1} / /`)}`,
      /^the stages have more than 10000 triggers of ONBUILD$/,
    ],
  ] as const) {
    it(`stop at ${what}`, async () => {
      await assert.rejects(plan(text), (error: Error) => {
        assert.match(error.message, message)
        assert.ok('code' in error && 'ranges' in error && Array.isArray(error.ranges))
        assert.equal(error.code, 'DOCKERFILE_INVALID')
        assert.ok(error.ranges[0]?.start.line > 10)
        return true
      })
    })
  }
})
