import fc from 'fast-check'
import type { RootKind, Scenario, Step } from './both-roots.ts'
import type { Operation } from './operations.ts'

const NAMES = ['a', 'b', 'c', 'é'] as const
const name = fc.constantFrom(...NAMES)
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'))
const seconds = fc.constantFrom(1_000_000_000, 1_000_000_100, 1_500_000_000)
const text = fc.constantFrom('one', 'two', '', 'x'.repeat(9000))

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constantFrom('write', 'append'), path, text }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('mkdir'), path }) },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constantFrom('unlink', 'rmdir', 'removeTree', 'open', 'remake', 'fifo', 'device'),
      path,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constantFrom('rename', 'link', 'symlink'), path, to: path }),
  },
  fc.record({ op: fc.constant('chmod'), path, mode: fc.constantFrom(0o644, 0o755, 0o4755, 0o700) }),
  fc.record({ op: fc.constant('chown'), path, uid: fc.constantFrom(0, 1234) }),
  fc.record({ op: fc.constant('touch'), path, seconds }),
  fc.record({ op: fc.constant('sparse'), path, size: fc.constant(300_000) }),
  fc.record({
    op: fc.constant('setxattr'),
    path,
    name: fc.constantFrom('user.one', 'trusted.two'),
    text: fc.constantFrom('1', ''),
  }),
)

const step: fc.Arbitrary<Step> = fc.record({
  from: fc.integer({ min: -1, max: 4 }),
  operations: fc.array(operation, { maxLength: 12, size: 'max' }),
})

/** What a tar does not keep, and what keeps one from standing in a stack. */
const NOT_IN_TARS = new Set<string>(['setxattr', 'sparse'])

/** Steps on a small set of names, so that they often meet. A step mostly goes on where the last one ended. */
export function scenarios(root: RootKind, form: Scenario['form']): fc.Arbitrary<Scenario> {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.boolean(), step), {
    minLength: 1,
    maxLength: 5,
    size: 'max',
  })
  return steps.map((choices) => ({
    root,
    form,
    steps: choices.map(([one, other, { from, operations: all }], index) => {
      const operations = form === 'tar' ? all.filter(({ op }) => !NOT_IN_TARS.has(op)) : all
      return { from: one || other ? index - 1 : Math.min(from, index - 1), operations }
    }),
  }))
}
