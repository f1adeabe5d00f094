export {
  type Attempt,
  closeDelivery,
  findDeliveryState,
  listDeliveriesOf,
  loseDeliveries,
  openDeliveries,
} from './store.ts';
