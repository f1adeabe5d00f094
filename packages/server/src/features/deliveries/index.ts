export {
  closeDelivery,
  closePublications,
  findDeliveryState,
  listDeliveriesOf,
  loseDeliveries,
  openDeliveries,
  openPublications,
  type Publication,
} from './store.ts';
