import { isSelfContained as isTarSelfContained } from '#builder/layer'

/** Whether a layer's tar can stand in a stack for its directory. */
export function isSelfContained({ tar }: { readonly tar: string }): boolean {
  return isTarSelfContained(tar)
}
