/** Tests of the suite that do not hold in place, by title, and why. */
export const NOT_IN_PLACE: Readonly<Record<string, string>> = {
  'runs steps at the same time': 'there is one root',
  'ends running steps when it is closed': 'the test starts two at a time',
}
