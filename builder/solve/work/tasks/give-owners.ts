import { restoreOwners } from '#builder/layer'

/** Gives the files of a layer's directory the owners that are kept beside it. */
export function giveOwners({ directory }: { readonly directory: string }): void {
  restoreOwners(directory)
}
