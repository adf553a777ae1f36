import { defineAsyncComponent } from 'vue'

/** The guided tour: the way to it in the header, and the panel itself. Only for the demo. */
export const TourButton = defineAsyncComponent(() => import('./components/TourButton.vue'))
export const TourPanel = defineAsyncComponent(() => import('./components/TourPanel.vue'))
