import { presumeOwners } from '#builder/layer'

/** The upper directory of a step that has ended. */
interface UpperTask {
  readonly directory: string
  /** The layers below, topmost first. */
  readonly lowers: readonly string[]
}

/** Keeps the owners of what lies below beside an upper directory. */
export function keepOwners({ directory, lowers }: UpperTask): void {
  presumeOwners(directory, lowers)
}
