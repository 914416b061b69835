/**
 * Whether a text is a path of this site and nothing else. Browsers read a second slash or a backslash as another host,
 * and drop tabs and line ends before they look: so printable ASCII only, and neither of the two.
 */
export function isOwnPath(path: string): boolean {
  return path.length <= 300 && /^\/[\x21-\x7e]*$/.test(path) && !path.includes('//') && !path.includes('\\')
}

/** The page of an audience. */
export function homeOf(audience: 'member' | 'employee'): string {
  return audience === 'member' ? '/console/' : '/pack/'
}

/** WeCom's codes for a sign-in code that is unknown, over or used (protocols wecom, 3.2). */
export function isUsedCode(errcode: string): boolean {
  return ['40029', '42003', '42022'].includes(errcode)
}
