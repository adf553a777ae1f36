import 'vue-router'

declare module 'vue-router' {
  interface RouteMeta {
    /** Message key of the page's title. */
    title?: string
    /** Feature whose messages the page needs. */
    feature?: string
    /** Can be opened without signing in. */
    public?: boolean
    /**
     * What stands around the page: header and footer unless it is the door or the big screen; below the header of
     * `hero`, a blue band.
     */
    frame?: 'hero' | 'gate' | 'screen'
    /** Shown in the main menu, in this order. */
    menu?: number
    /** The menu entry is drawn for those to whom the server opens any of these. */
    may?: string[]
  }
}
