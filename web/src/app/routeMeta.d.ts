import 'vue-router'
import type { MayView } from '@/api/types'

declare module 'vue-router' {
  interface RouteMeta {
    /** Message key of the page's title. */
    title?: string
    /** Feature whose messages the page needs. */
    feature?: string
    /** Can be opened without signing in. */
    public?: boolean
    /** Drawn without header and footer. */
    bare?: boolean
    /** Shown in the main menu, in this order. */
    menu?: number
    /** The menu entry is drawn for those who may do this. */
    may?: keyof MayView
  }
}
