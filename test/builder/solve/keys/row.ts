import type { Bench, SolveRequest } from '../support.ts'

/** One build, the last step of which is looked at. */
export interface Variant {
  readonly dockerfile: string
  readonly request?: SolveRequest
  /** What is done to the context before. */
  readonly prepare?: (at: Bench) => void
}

/** Two builds that differ in one thing. */
export interface Row {
  readonly what: string
  readonly from: Variant
  readonly to: Variant
  /** Whether the key of the last step changes with it. */
  readonly key: 'changes' | 'stays'
  /** Why this is otherwise than with BuildKit. */
  readonly deviation?: string | undefined
  readonly needsRoot?: boolean | undefined
}

type Text = string | readonly string[]

/** Behind `FROM scratch`. */
function variant(text: Text | Variant): Variant {
  if (typeof text === 'object' && 'dockerfile' in text) return text
  return { dockerfile: ['FROM scratch', ...(typeof text === 'string' ? [text] : text)].join('\n') }
}

/** The same lines with settings. */
export function given(text: Text, request: SolveRequest): Variant {
  return { ...variant(text), request }
}

/** The same lines behind a change of the context. */
export function after(prepare: (at: Bench) => void, text: Text): Variant {
  return { ...variant(text), prepare }
}

type MakeRow = (
  what: string,
  builds: readonly [from: Text | Variant, to: Text | Variant],
  options?: Pick<Row, 'deviation' | 'needsRoot'>,
) => Row

function rowMaker(key: Row['key']): MakeRow {
  return (what, [from, to], options) => ({
    ...{ what, from: variant(from), to: variant(to), key },
    ...options,
  })
}

export const changes: MakeRow = rowMaker('changes')
export const stays: MakeRow = rowMaker('stays')
