/** The server's word for: somebody has acted since the page was read. */
export const CHANGED_MEANWHILE = 'platform.changed_meanwhile'
