import assert from 'node:assert/strict'
import type { BuildExplanation, Difference, StepExplanation } from '#builder/explain'
import { askedStepsText, explanationText } from '../../../cli/explain/explanation-text.ts'

const STEP: StepExplanation = {
  ...{ name: '[2/3] RUN x', line: 2, end: 2, stage: '0', platform: 'linux/amd64' },
  ...{ outcome: 'done', reason: 'no-record', key: 'k', differences: [] },
  earlier: { name: '[2/2] RUN y', key: 'j', time: '2026-11-29T18:00:00.000Z' },
}
const BUILD: BuildExplanation = {
  ...{ version: 1, context: '/c', dockerfile: '/c/Dockerfile', time: '2026-11-29T19:00:00.000Z' },
  ...{ total: 3, ran: 1, cached: 2, steps: [STEP] },
}

/** The lines that are said of a step, without its head. */
function said(step: object): readonly string[] {
  const text = explanationText({ ...BUILD, steps: [{ ...STEP, ...step } as StepExplanation] })
  const [, , , ...lines] = text.trimEnd().split('\n')
  return lines.map((line) => line.trimStart())
}

const difference = (found: Partial<Difference>): object => ({
  differences: [{ what: 'files', change: 'changed', ...found }],
})

describe('the text of an explanation', () => {
  it('has a head and a place for each step', () => {
    assert.equal(
      explanationText(BUILD),
      'why 1 of 3 steps ran:\n\nline 2: [2/3] RUN x\n  an earlier result of it is known, and nothing that differs\n',
    )
    const steps = [{ ...STEP, end: 4 }]
    assert.match(
      explanationText({ ...BUILD, ran: 3, steps }),
      /^why all 3 steps ran:\n\nlines 2-4: /,
    )
    assert.equal(
      explanationText({ ...BUILD, ran: 0, cached: 3, steps: [] }),
      'no step ran: the cache had all 3 steps\n',
    )
    assert.equal(
      explanationText({ ...BUILD, ran: 0, steps: [] }),
      'no step ran: the build ended before\n',
    )
    assert.equal(
      explanationText({ ...BUILD, total: 0, ran: 0, cached: 0, steps: [] }),
      'no step ran: the build has none\n',
    )
  })

  for (const [reason, text] of [
    ['no-cache', 'its result was not looked up, as was asked for: --no-cache or --no-cache-filter'],
    ['cache-never', 'the comment above it asks for that: # cache=never'],
    ['expired', 'its result is older than the comment above it lets it be: # cache=ttl'],
    ['input-executed', 'what it is done on or with was executed, and its own result is older'],
    ['input-changed', 'an earlier result of it is known, and nothing that differs'],
    ['of-a-later-version', 'its result was not used: of-a-later-version'],
    ['constructor', 'its result was not used: constructor'],
  ] as const) {
    it(`says something of the reason ${reason}`, () => assert.deepEqual(said({ reason }), [text]))
  }

  it('says how a step has ended that did not run, or of which nothing is known', () => {
    const { reason: _, ...cached } = STEP
    const tell = (step: object): string =>
      askedStepsText([{ ...cached, ...step } as StepExplanation]).split('\n')[1] ?? ''
    assert.equal(
      tell({ outcome: 'cached' }),
      '  it did not run: its result was found, made 2026-11-29T18:00:00.000Z',
    )
    assert.match(tell({ outcome: 'unused' }), /a result that was made of it was found/)
    assert.match(tell({ outcome: 'not reached' }), /the build ended before/)
    assert.deepEqual(said({ outcome: 'failed', key: undefined }), [
      'it has failed before it was known what it is made of',
    ])
  })

  it('says what a step that was asked for was compared with', () => {
    const user = { what: 'user', change: 'changed', from: 'a', to: 'b' } as const
    assert.equal(
      askedStepsText([{ ...STEP, differences: [user] }]),
      'line 2: [2/3] RUN x\n  user changed "a" -> "b"\n  compared with [2/2] RUN y of 2026-11-29T18:00:00.000Z\n',
    )
  })

  it('names ten files and counts the others, with what differs of each', () => {
    const listed = Array.from({ length: 12 }, (_, index) => {
      return { path: `f${index}`, change: 'added', details: [] } as const
    })
    const [line = ''] = said(difference({ files: { count: 300, listed } }))
    assert.match(line, /^300 files changed: f0 \(added\), .*, f9 \(added\) and 290 more$/)
    const details = [{ what: 'owner', from: '0:0', to: '1:1' }, { what: 'content' }] as const
    const one = { path: 'a', change: 'changed', details } as const
    assert.deepEqual(said(difference({ files: { count: 1, listed: [one] } })), [
      '1 file changed: a (owner 0:0 -> 1:1, content)',
    ])
    assert.deepEqual(said(difference({ name: '/m', files: { unknown: 'why' } })), [
      'mount /m: files changed (why)',
    ])
  })

  it('shortens digests of images, and says when only their files differ', () => {
    const name = `debian:12@sha256:${'a'.repeat(64)}`
    const base = { what: 'base', from: name, to: name.replaceAll('aa', 'bb') }
    assert.deepEqual(said(difference(base)), [
      `base changed debian:12@sha256:${'a'.repeat(12)} -> debian:12@sha256:${'b'.repeat(12)}`,
    ])
    assert.deepEqual(said(difference({ ...base, to: name })), [
      `base changed: debian:12@sha256:${'a'.repeat(12)} has other files`,
    ])
  })

  it('has nothing that could control a terminal', () => {
    const lines = said({
      differences: [
        { what: 'environment', name: 'A\u001b[2J', change: 'added', to: '\u0007x\u009b1m' },
      ],
    })
    assert.equal(lines.length, 1)
    assert.doesNotMatch(lines[0] ?? '', /\p{Cc}/u)
  })
})
