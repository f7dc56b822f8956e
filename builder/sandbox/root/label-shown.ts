import { labelTree } from '#builder/linux'
import { errnoOf } from '#core'

/**
 * Labels files that steps are shown as they lie on the disk.
 * @param label of SELinux
 * @returns false where their file system takes no such label, or the policy does not let this process give it
 */
export function labelShown(path: string, label: string): boolean {
  try {
    labelTree(path, label)
    return true
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return false
  }
}
