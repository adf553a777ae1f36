/** The guided tour: the way to it in the header, and the panel itself. Only for the demo. */
export const loadTourButton = () => import('./components/TourButton.vue')
export const loadTourPanel = () => import('./components/TourPanel.vue')
