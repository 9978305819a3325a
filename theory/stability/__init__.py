"""When does x_{t+1} = (I - eta A_S) x_t stay near zero? Four notions, their edges and rates."""
