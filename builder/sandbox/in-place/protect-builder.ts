import { adoptOrphans, openLibrary, preventTracing } from '#builder/linux'

/**
 * Prepares this process for a root that belongs to others. No step, which may be root as well, can read
 * its memory. What a step leaves behind that has killed its supervisor comes to this process. And names of hosts are looked up in files and by DNS, whatever the /etc/nsswitch.conf of a
 * stage says: its C library would load modules of the stage for others.
 */
export function protectBuilder(): void {
  preventTracing()
  adoptOrphans()
  useOwnLookups()
}

/** Where the C library is another one than glibc, it has no modules. */
function useOwnLookups(): void {
  const library = openLibrary(null)
  try {
    const configure = library?.func(
      'int __nss_configure_lookup(const char *database, const char *services)',
    )
    configure?.('hosts', 'files dns')
  } catch {
    return
  }
  // Before glibc 2.34 DNS is a module, too, which has to be the one of this C library.
  openLibrary('libnss_dns.so.2')
}
