import assert from 'node:assert/strict'
import { plan } from '../support.ts'

describe('plan: large files', () => {
  const lines = (count: number, line: (index: number) => string): string =>
    ['FROM base', ...Array.from({ length: count }, (_, index) => line(index))].join('\n')

  for (const [name, line] of [
    ['ENV', (index: number) => `ENV k${index}=\${k${index - 1}:+v}`],
    ['ARG', (index: number) => `ARG k${index}=v`],
    ['LABEL', (index: number) => `LABEL k${index}=v`],
    ['EXPOSE', (index: number) => `EXPOSE ${index + 1}`],
    ['VOLUME', (index: number) => `VOLUME /v${index}`],
    ['RUN', (index: number) => `RUN ${index}`],
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
      const large = await time(4000)
      assert.ok(large < 16 * small + 300, `500 lines took ${small} ms, 4,000 took ${large} ms`)
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
