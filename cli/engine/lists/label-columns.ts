import { type Fields, objectOf } from '../format/json.ts'
import type { ListKind } from '../format/list.ts'

/** The columns of what has labels: all of them, and the function of a template that gives one. */
export const LABEL_COLUMNS: ListKind<Fields>['columns'] = {
  Labels: ['LABELS', ({ Labels }) => labelsText(objectOf(Labels))],
  Label: [
    '',
    ({ Labels }) =>
      ([name]) =>
        String(objectOf(Labels)[String(name)] ?? ''),
  ],
}

/** `a=1,b=2` */
function labelsText(labels: Fields): string {
  const entries = Object.entries(labels).map(([name, value]) => `${name}=${value}`)
  return entries.sort().join(',')
}
