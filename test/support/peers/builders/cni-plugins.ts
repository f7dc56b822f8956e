/** Where Debian's package containernetworking-plugins has the programs that make networks of steps. */
export const CNI_PLUGINS = '/usr/lib/cni'
