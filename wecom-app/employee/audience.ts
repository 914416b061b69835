/**
 * Whose pack this is: an employee's at /pack/, a buyer's at /mine/. The pages are the same; what they ask goes to the paths where
 * that person's session counts.
 */
export const isBuyers: boolean = location.pathname === '/mine' || location.pathname.startsWith('/mine/')
export const pages: '/mine/' | '/pack/' = isBuyers ? '/mine/' : '/pack/'
export const api: '/store' | '/employee' = isBuyers ? '/store' : '/employee'
