module tradewind.io/bench/driver

go 1.25
