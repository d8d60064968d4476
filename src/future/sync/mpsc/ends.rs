//! What the ends of a channel have in common, whether it has a bound or not.

/// The receiving end.
macro_rules! receiver {
    ($name:ident, $real:ident) => {
        impl<T> $name<T> {
            /// Receives a message, and waits until there is one; `None` if there is none and no
            /// sender left, or the channel is closed. Each poll is a step.
            #[track_caller]
            pub fn recv(&mut self) -> impl Future<Output = Option<T>> + use<'_, T> {
                let mut wait = Wait::new(self.here, Location::caller(), Operation::Receive);
                poll_fn(move |context| self.poll_in(&mut wait, context))
            }

            /// Receives at most `limit` messages, and waits until there is one. Returns how many:
            /// none if no sender is left, or the channel is closed. Each poll is a step.
            #[track_caller]
            pub fn recv_many(
                &mut self,
                buffer: &mut Vec<T>,
                limit: usize,
            ) -> impl Future<Output = usize> {
                let mut wait = Wait::new(self.here, Location::caller(), Operation::Receive);
                poll_fn(move |context| self.poll_many_in(&mut wait, context, buffer, limit))
            }

            /// Receives a message if there is one. One step.
            ///
            /// # Errors
            ///
            /// If there is no message.
            #[track_caller]
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                let (real, letters) = (self.real.as_mut().expect(DROPPED), &self.letters);
                let receive = || real.try_recv().map(|carried| letters.open(carried));
                let received = self.here.perform(
                    Location::caller(),
                    Operation::Receive,
                    receive,
                    |received| match received {
                        Ok((number, _)) => Seen::attempt(true, Exchange::Receives(*number, 1)),
                        Err(TryRecvError::Empty) => Seen::attempt(false, Exchange::Nothing),
                        Err(TryRecvError::Disconnected) => Seen::DISCONNECTED,
                    },
                );
                received.map(|(_, message)| message)
            }

            /// Like [`recv`](Self::recv), on a thread that runs no tasks.
            ///
            /// # Panics
            ///
            /// In a task.
            #[track_caller]
            pub fn blocking_recv(&mut self) -> Option<T> {
                block_on(self.recv())
            }

            /// Like [`recv_many`](Self::recv_many), on a thread that runs no tasks.
            ///
            /// # Panics
            ///
            /// In a task.
            #[track_caller]
            pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                block_on(self.recv_many(buffer, limit))
            }

            /// Receives a message if there is one; if not, the task is woken when there is. One
            /// step.
            #[track_caller]
            pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
                let mut wait = Wait::new(self.here, Location::caller(), Operation::Receive);
                self.poll_in(&mut wait, context)
            }

            /// Like [`poll_recv`](Self::poll_recv), with at most `limit` messages.
            #[track_caller]
            pub fn poll_recv_many(
                &mut self,
                context: &mut Context<'_>,
                buffer: &mut Vec<T>,
                limit: usize,
            ) -> Poll<usize> {
                let mut wait = Wait::new(self.here, Location::caller(), Operation::Receive);
                self.poll_many_in(&mut wait, context, buffer, limit)
            }

            /// Closes the channel: no message is sent any more. Those that are there can still be
            /// received. One step.
            #[track_caller]
            pub fn close(&mut self) {
                let real = self.real.as_mut().expect(DROPPED);
                self.here
                    .act(Operation::Disconnect, Exchange::Leaves, || real.close());
            }

            /// Whether the channel is closed, or no sender left. One step.
            #[track_caller]
            pub fn is_closed(&self) -> bool {
                self.look(real::$real::is_closed)
            }

            /// Whether there is no message. One step.
            #[track_caller]
            pub fn is_empty(&self) -> bool {
                self.look(real::$real::is_empty)
            }

            /// How many messages there are. One step.
            #[track_caller]
            pub fn len(&self) -> usize {
                self.look(real::$real::len)
            }

            /// How many senders there are. One step.
            #[track_caller]
            pub fn sender_strong_count(&self) -> usize {
                self.look(real::$real::sender_strong_count)
            }

            /// How many weak senders there are. One step.
            #[track_caller]
            pub fn sender_weak_count(&self) -> usize {
                self.look(real::$real::sender_weak_count)
            }

            #[track_caller]
            fn look<R>(&self, look: fn(&real::$real<Option<T>>) -> R) -> R {
                let real = self.real.as_ref().expect(DROPPED);
                self.here.look(|| look(real))
            }

            fn poll_in(&mut self, wait: &mut Wait, context: &mut Context<'_>) -> Poll<Option<T>> {
                let (real, letters) = (self.real.as_mut().expect(DROPPED), &self.letters);
                let receive = |context: &mut Context<'_>| {
                    let received = real.poll_recv(context);
                    received.map(|carried| carried.map(|carried| letters.open(carried)))
                };
                let polled = wait.poll_with(
                    context,
                    |received: &Option<_>| match received {
                        Some((number, _)) => Seen::attempt(true, Exchange::Receives(*number, 1)),
                        None => Seen::DISCONNECTED,
                    },
                    receive,
                );
                if polled.is_pending() && self.here.is_doomed() {
                    // This is a destructor, which could wait for ever.
                    return Poll::Ready(None);
                }
                polled.map(|received| received.map(|(_, message)| message))
            }

            fn poll_many_in(
                &mut self,
                wait: &mut Wait,
                context: &mut Context<'_>,
                buffer: &mut Vec<T>,
                limit: usize,
            ) -> Poll<usize> {
                let (real, letters) = (self.real.as_mut().expect(DROPPED), &self.letters);
                let mut carried = Vec::new();
                let receive = |context: &mut Context<'_>| {
                    let received = real.poll_recv_many(context, &mut carried, limit);
                    received.map(|_| {
                        let opened = carried.drain(..).map(|carried| letters.open(carried));
                        opened.collect::<Vec<_>>()
                    })
                };
                let polled = wait.poll_with(
                    context,
                    |received: &Vec<_>| match received.first() {
                        Some((first, _)) => {
                            Seen::attempt(true, Exchange::Receives(*first, received.len()))
                        }
                        None if limit == 0 => Seen::default(),
                        None => Seen::DISCONNECTED,
                    },
                    receive,
                );
                if polled.is_pending() && self.here.is_doomed() {
                    return Poll::Ready(0);
                }
                polled.map(|received| {
                    let count = received.len();
                    buffer.extend(received.into_iter().map(|(_, message)| message));
                    count
                })
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                let real = self.real.take();
                self.here.drop_end(|| drop(real));
                self.letters.discard();
            }
        }

        crate::future::sync::object::end!($name);
    };
}

/// The sending end, and the weak one.
macro_rules! sender {
    ($name:ident, $weak:ident, $real:ident, $real_weak:ident) => {
        impl<T> $name<T> {
            /// Waits until the receiver is gone or has closed the channel. Each poll is a step.
            #[track_caller]
            pub fn closed(&self) -> impl Future<Output = ()> + use<'_, T> {
                let closed = self.real().closed();
                Awaiting::new(
                    self.here,
                    Location::caller(),
                    Operation::Disconnect,
                    closed,
                    Exchange::Learns,
                    always,
                )
            }

            /// Whether the receiver is gone or has closed the channel. One step.
            #[track_caller]
            pub fn is_closed(&self) -> bool {
                self.look(real::$real::is_closed)
            }

            /// Whether the other one belongs to the same channel.
            pub fn same_channel(&self, other: &Self) -> bool {
                self.real().same_channel(other.real())
            }

            /// A sender that does not keep the channel open.
            pub fn downgrade(&self) -> $weak<T> {
                $weak {
                    here: self.here,
                    letters: self.letters.clone(),
                    real: self.real().downgrade(),
                }
            }

            /// How many senders there are. One step.
            #[track_caller]
            pub fn strong_count(&self) -> usize {
                self.look(real::$real::strong_count)
            }

            /// How many weak senders there are. One step.
            #[track_caller]
            pub fn weak_count(&self) -> usize {
                self.look(real::$real::weak_count)
            }

            fn real(&self) -> &real::$real<Option<T>> {
                self.real.as_ref().expect(DROPPED)
            }

            #[track_caller]
            fn look<R>(&self, look: fn(&real::$real<Option<T>>) -> R) -> R {
                let real = self.real();
                self.here.look(|| look(real))
            }
        }

        impl<T> Clone for $name<T> {
            #[track_caller]
            fn clone(&self) -> Self {
                self.here.leave_doomed();
                $name {
                    here: self.here,
                    letters: self.letters.clone(),
                    real: self.real.clone(),
                }
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                if let Some(real) = self.real.take() {
                    self.here.drop_end(|| drop(real));
                }
            }
        }

        impl<T> $weak<T> {
            /// A sender that keeps the channel open, if there is one yet. One step.
            #[track_caller]
            pub fn upgrade(&self) -> Option<$name<T>> {
                let upgraded = self.look(real::$real_weak::upgrade);
                upgraded.map(|real| $name {
                    here: self.here,
                    letters: self.letters.clone(),
                    real: Some(real),
                })
            }

            /// How many senders there are. One step.
            #[track_caller]
            pub fn strong_count(&self) -> usize {
                self.look(real::$real_weak::strong_count)
            }

            /// How many weak senders there are. One step.
            #[track_caller]
            pub fn weak_count(&self) -> usize {
                self.look(real::$real_weak::weak_count)
            }

            #[track_caller]
            fn look<R>(&self, look: fn(&real::$real_weak<Option<T>>) -> R) -> R {
                let real = &self.real;
                self.here.look(|| look(real))
            }
        }

        impl<T> Clone for $weak<T> {
            fn clone(&self) -> Self {
                $weak {
                    here: self.here,
                    letters: self.letters.clone(),
                    real: self.real.clone(),
                }
            }
        }

        crate::future::sync::object::end!($name);
        crate::future::sync::object::end!($weak);
    };
}

pub(super) use {receiver, sender};
