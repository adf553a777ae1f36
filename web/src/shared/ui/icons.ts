/** The portal's own line icons on a 24 grid. */
export const icons = {
  alert: 'M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3ZM12 7.5v5.5M12 16v.5',
  arrow: 'M5 12h14M13 6l6 6-6 6',
  bell: 'M6 17V11a6 6 0 0 1 12 0v6l1.5 2h-15ZM10 21h4',
  calendar: 'M4 6h16v14H4ZM4 10h16M8 3v4M16 3v4',
  card: 'M3 5h18v14H3ZM3 10h18M7 15h5',
  chart: 'M4 20V4M4 20h17M8 16v-4M12.5 16V8M17 16v-6',
  check: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18ZM8 12.3l2.8 2.7L16 9.5',
  clock: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18ZM12 7v5l3.5 2',
  close: 'M6 6l12 12M18 6 6 18',
  database:
    'M12 3c5 0 8 1.3 8 3s-3 3-8 3-8-1.3-8-3 3-3 8-3ZM4 6v12c0 1.7 3 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3 3 8 3s8-1.3 8-3',
  down: 'M6 9l6 6 6-6',
  download: 'M12 4v11M7 11l5 5 5-5M4 20h16',
  eye: 'M2.5 12C5 7.5 8.5 5.5 12 5.5s7 2 9.5 6.5c-2.5 4.5-6 6.5-9.5 6.5S5 16.5 2.5 12ZM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6Z',
  file: 'M6 3h8l5 5v13H6ZM14 3v5h5M9 13h6M9 17h6',
  flow: 'M4 7h11l-3-3M20 17H9l3 3',
  globe: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18ZM3 12h18M12 3c3 3 3.5 6 3.5 9s-.5 6-3.5 9c-3-3-3.5-6-3.5-9S9 6 12 3Z',
  interface: 'M8 7l-5 5 5 5M16 7l5 5-5 5M13.5 5l-3 14',
  lock: 'M6 11h12v9H6ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  map: 'M9 4 3 6.5v14L9 18l6 2.5 6-2.5V4l-6 2.5ZM9 4v14M15 6.5v14',
  organ: 'M4 21V5l8-2v18M12 9h8v12M2 21h20M7 8h2M7 12h2M7 16h2M15 13h2M15 17h2',
  pause: 'M9 5v14M15 5v14',
  people:
    'M8.5 5a3.2 3.2 0 1 1 0 6.4 3.2 3.2 0 0 1 0-6.4ZM2.5 19c.6-4 2.7-5.4 6-5.4s5.4 1.4 6 5.4M16 6a2.8 2.8 0 0 1 0 5.6M17 14c2.6.2 4 1.7 4.5 5',
  phone: 'M5 4h4l1.5 5-2.5 1.5c1 2.5 3 4.5 5.5 5.5l1.5-2.5 5 1.5v4c-8 1-16-7-15-15Z',
  plus: 'M12 5v14M5 12h14',
  refresh: 'M20 11a8 8 0 0 0-14.5-3.500L4 10M4 4v6h6M4 13a8 8 0 0 0 14.5 3.500L20 14M20 20v-6h-6',
  search: 'M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14ZM16.2 16.2 21 21',
  shield: 'M12 3l8 3v6c0 5-3.5 8-8 9.5C7.5 20 4 17 4 12V6ZM8.5 12l2.5 2.5 4.5-5',
  table: 'M3 5h18v14H3ZM3 10h18M9 10v9M15 10v9',
  upload: 'M12 20V9M7 13l5-5 5 5M4 4h16',
  user: 'M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8ZM4 21c1-5 4-6 8-6s7 1 8 6',
  warn: 'M12 4 2.8 20h18.4ZM12 10v4.5M12 17v.5',
} as const

export type IconName = keyof typeof icons
